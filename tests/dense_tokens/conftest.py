"""Tiny models of every kind that dense tokens are tested on, in float64."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoConfig,
    GPTNeoForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.models.gpt_neo import modeling_gpt_neo
from transformers.models.llama import modeling_llama
from transformers.models.qwen3 import modeling_qwen3

ROWS, DENSE = 30, 29
KINDS = ("gpt_neox", "gpt_neo", "gpt2", "llama", "qwen3")

_COMMON: dict[str, Any] = {
    "vocab_size": ROWS,
    "hidden_size": 16,
    "max_position_embeddings": 48,
    "initializer_range": 0.3,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}
_DEEP = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}


class _Double(ModuleType):
    """Torch as some classes see it, which compute a few things in float32 whatever the model's precision."""

    float32 = torch.float64

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


@pytest.fixture
def in_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every class compute in float64 throughout, so that equal means equal."""
    for module in (modeling_gpt_neo, modeling_llama, modeling_qwen3):
        monkeypatch.setattr(module, "torch", _Double("torch"))


def build(kind: str, seed: int = 0, **changes: Any) -> PreTrainedModel:
    """Make a tiny model with random weights, large enough that everything matters."""
    torch.manual_seed(seed)
    if kind == "gpt_neox":
        return GPTNeoXForCausalLM(GPTNeoXConfig(**_COMMON | _DEEP | changes))
    if kind == "gpt_neo":
        own = {
            "num_layers": 2,
            "num_heads": 2,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 6,
        }
        return GPTNeoForCausalLM(GPTNeoConfig(**_COMMON | own | changes))
    if kind == "gpt2":
        own = {"n_layer": 2, "n_head": 2, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
        return GPT2LMHeadModel(GPT2Config(**_COMMON | own | changes))
    grouped = _DEEP | {"num_key_value_heads": 1}
    if kind == "llama":
        return LlamaForCausalLM(LlamaConfig(**_COMMON | grouped | changes))
    return Qwen3ForCausalLM(Qwen3Config(**_COMMON | grouped | {"head_dim": 8} | changes))


@pytest.fixture
def model() -> Callable[..., PreTrainedModel]:
    """`model(kind, seed=0, **config)`."""
    return build


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of words: w0 to w24 and the end token, ids 0 to 25."""
    vocabulary = {f"w{number}": number for number in range(25)} | {"<|endoftext|>": 25}
    rust = Tokenizer(models.WordLevel(vocabulary, unk_token="w0"))
    rust.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    rust.add_special_tokens(["<|endoftext|>"])
    return PreTrainedTokenizerFast(tokenizer_object=rust, eos_token="<|endoftext|>")
