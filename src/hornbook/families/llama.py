"""Llama (Touvron et al. 2023, arXiv:2302.13971), the form of most decoders today.

The sizes are those of karpathy/tinyllamas, which were trained on TinyStories, and of SmolLM2 (Ben Allal et al. 2025,
arXiv:2502.02737).
"""

from typing import ClassVar

from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from hornbook.families.family import Family
from hornbook.families.preset import Preset


def _preset(
    source: str,
    layers: int,
    hidden: int,
    heads: int,
    feed_forward: int,
    groups: int | None = None,
    vocab_size: int = 32000,
    positions: int = 256,
    theta: float = 10000.0,
    spread: float = 0.02,
    parameters: int | None = None,
) -> Preset:
    """Make a preset; `groups` is the number of heads of keys and values, by default that of queries.

    `spread` is the standard deviation of new weights, and `theta` the base of the rotary positions.
    """
    return Preset(
        values={
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "num_key_value_heads": heads if groups is None else groups,
            "head_dim": hidden // heads,
            "intermediate_size": feed_forward,
            "hidden_act": "silu",
            "rope_parameters": {"rope_type": "default", "rope_theta": theta},
            "attention_bias": False,
            "mlp_bias": False,
            "attention_dropout": 0.0,
            "pretraining_tp": 1,
            "initializer_range": spread,
            "rms_norm_eps": 1e-5,
            "tie_word_embeddings": True,
        },
        source=source,
        vocab_size=vocab_size,
        positions=positions,
        parameters=parameters,
        counted=None if parameters is None else LlamaForCausalLM,
    )


class Llama(Family):
    """A causal model with rotary positions, RMS norms, gated feed-forwards, and heads that share keys and values."""

    name = "llama"
    title = "Llama"
    paper = "Touvron et al. 2023, arXiv:2302.13971"
    style = "gpt"
    kind = "bpe"
    config_class = LlamaConfig
    heads: ClassVar = {"causal": LlamaForCausalLM}
    head_name = "lm_head"
    inputs = frozenset({"input_ids", "attention_mask", "position_ids"})
    position_table = None
    position_schemes = ("rotary",)
    counts_from_pad = False
    freezes_pad = True
    obeys_is_decoder = False
    types_as_words = False
    matrices = (nn.Linear,)
    arguments: ClassVar = {"use_cache": False}
    tiny: ClassVar = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "intermediate_size": 48,
    }
    relatives: ClassVar = {"mistral": {}, "qwen2": {}, "qwen3": {}, "gemma": {}, "phi": {}}
    presets: ClassVar = {
        "tinyllama-15m": _preset("hf.co/karpathy/tinyllamas", 6, 288, 6, 768),
        "tinyllama-42m": _preset("hf.co/karpathy/tinyllamas", 8, 512, 8, 1376, positions=1024),
        "tinyllama-110m": _preset("hf.co/karpathy/tinyllamas", 12, 768, 12, 2048, positions=1024),
        "smollm2-135m": _preset(
            "hf.co/HuggingFaceTB/SmolLM2-135M",
            30,
            576,
            9,
            1536,
            3,
            49152,
            8192,
            100000.0,
            1 / 24,
            134_515_008,
        ),
    }
