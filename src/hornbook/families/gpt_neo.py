"""GPT-Neo (Black et al. 2021, doi:10.5281/zenodo.5297715) in the sizes of TinyStories (arXiv:2305.07759)."""

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import GPTNeoConfig, GPTNeoForCausalLM, GPTNeoModel, PreTrainedModel

from hornbook.families.attention import attend
from hornbook.families.family import Family
from hornbook.families.positions import CHANGEABLE
from hornbook.families.preset import Preset
from hornbook.internals import choose_mask, read

_GPTNeoSelfAttention: Any = read("transformers.models.gpt_neo.modeling_gpt_neo:GPTNeoSelfAttention")


def _preset(name: str, layers: int, hidden: int) -> Preset:
    return Preset(
        values={
            "hidden_size": hidden,
            "num_layers": layers,
            "num_heads": 16,
            "intermediate_size": None,  # four times the hidden size
            "window_size": 256,
            "activation_function": "gelu_new",
            "resid_dropout": 0.0,
            "embed_dropout": 0.0,
            "attention_dropout": 0.0,
            "initializer_range": 0.02,
            "layer_norm_epsilon": 1e-5,
        },
        source=f"hf.co/roneneldan/{name}",
        vocab_size=50257,
        positions=2048,
    )


class GPTNeo(Family):
    """A causal model whose layers attend to all tokens before and to a window, in turn."""

    name = "gpt_neo"
    title = "GPT-Neo"
    paper = "Black et al. 2021, doi:10.5281/zenodo.5297715"
    style = "shared"
    kind = "bpe"
    config_class = GPTNeoConfig
    heads: ClassVar = {"causal": GPTNeoForCausalLM}
    head_name = "lm_head"
    inputs = frozenset({"input_ids", "attention_mask", "position_ids"})
    position_table = "wpe"
    position_schemes = CHANGEABLE
    queries_and_keys = ("q_proj", "k_proj")
    counts_from_pad = False
    freezes_pad = False
    obeys_is_decoder = False
    types_as_words = True
    matrices = (nn.Linear,)
    arguments: ClassVar = {"use_cache": False}
    tiny: ClassVar = {"hidden_size": 32, "num_layers": 2, "num_heads": 2, "window_size": 8}
    presets: ClassVar = {
        "tinystories-1m": _preset("TinyStories-1M", 8, 64),
        "tinystories-3m": _preset("TinyStories-3M", 8, 128),
        "tinystories-8m": _preset("TinyStories-8M", 8, 256),
        "tinystories-28m": _preset("TinyStories-28M", 8, 512),
        "tinystories-33m": _preset("TinyStories-33M", 4, 768),
    }

    derived = ("attention_types", "attention_layers")

    def derive(self, values: dict[str, Any]) -> dict[str, Any]:
        """Let attention alternate between global and local, for any number of layers."""
        pairs, rest = divmod(values["num_layers"], 2)
        alternating = [[["global", "local"], pairs], [["global"], rest]]
        return {"attention_types": [types for types in alternating if types[1]], **values}

    def contradiction(self, values: Mapping[str, Any]) -> str | None:
        """Compare the layers that attention_types make with num_layers."""
        types, layers = (
            values.get("attention_types"),
            values.get("num_layers", self.config_class().num_layers),
        )
        expanded = sum(len(kinds) * times for kinds, times in types) if types else layers
        if expanded == layers:
            return None
        return f"attention_types make {expanded} layers, and num_layers is {layers}"

    def adapt(self, model: PreTrainedModel) -> PreTrainedModel:
        """Let the attention layers use `FusedAttention`."""
        super().adapt(model)
        self.fuse(model)
        return model

    def fuse(self, model: PreTrainedModel) -> None:
        """Let the attention layers use `FusedAttention`, if they and what makes their masks are transformers' own."""
        if type(getattr(model, "transformer", None)) is not GPTNeoModel:
            return
        layers = [block.attn.attention for block in model.transformer.h]
        if any(type(layer) is not _GPTNeoSelfAttention for layer in layers):
            return
        for layer in layers:
            layer.__class__ = FusedAttention
        # What builds the masks reads this from the inner model's config. The outer config stays as it is, for
        # the Hugging Face class refuses to be built from one that says so.
        model.transformer.config = copy.deepcopy(model.config)
        choose_mask(model.transformer.config, "sdpa")


class FusedAttention(_GPTNeoSelfAttention):
    """GPT-Neo's attention in torch's fused kernel or in ours, with the class's own weights.

    With a cache, or if the attention weights are asked for, the class's own attention runs.
    """

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        layer_past: Any = None,
        use_cache: bool = False,
        output_attentions: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend over hidden states (batch, length, hidden).

        `attention_mask` (batch, 1, length, length) is True where a token may attend, or is added to the scores. With
        None, a token attends to itself and to all tokens before it.
        """
        if layer_past is not None or output_attentions:
            return super().forward(
                hidden_states, _additive(attention_mask), layer_past, use_cache, output_attentions, **kwargs
            )
        batch, length, width = hidden_states.shape
        query, key, value = (
            projection(hidden_states).view(batch, length, self.num_heads, self.head_dim).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        if self.attention_type == "local" and length > self.config.window_size:
            attention_mask = _within(self.bias[:, :, :length, :length], attention_mask)
        mixed, _ = attend(
            self,
            query,
            key,
            value,
            attention_mask,
            dropout=self.attn_dropout.p if self.training else 0.0,
            scaling=1.0,  # GPT-Neo doesn't divide by the root of the head's width
            is_causal=True,
        )
        mixed = mixed.view(batch, length, width)
        return self.resid_dropout(self.out_proj(mixed)), None


def _within(band: Tensor, mask: Tensor | None) -> Tensor:
    """Narrow a boolean or an additive mask to a band."""
    if mask is None:
        return band
    return mask & band if mask.dtype == torch.bool else torch.where(band, mask, torch.finfo(mask.dtype).min)


def _additive(mask: Tensor | None) -> Tensor | None:
    """Turn a boolean mask into one that the class adds to its scores."""
    if mask is None or mask.dtype != torch.bool:
        return mask
    return torch.where(mask, 0.0, torch.finfo(torch.float32).min)
