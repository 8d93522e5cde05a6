"""T5 (Raffel et al. 2019, arXiv:1910.10683) and T5 v1.1 (Shazeer 2020, arXiv:2002.05202)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import (
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    T5Config,
    T5ForConditionalGeneration,
)

from hornbook.dtypes import sum_dtype, without_autocast
from hornbook.errors import HornbookError
from hornbook.families.family import Family, Head
from hornbook.families.preset import Preset
from hornbook.internals import read

_T5LayerNorm: Any = read("transformers.models.t5.modeling_t5:T5LayerNorm")


def _preset(
    layers: int,
    hidden: int,
    heads: int,
    feed_forward: int,
    source: str,
    parameters: int | None,
    first: bool = False,
) -> Preset:
    """Make a preset of v1.1, or of the first T5, which has ReLU instead of gated GELU and a tied head."""
    return Preset(
        values={
            "d_model": hidden,
            "d_kv": 64,
            "d_ff": feed_forward,
            "num_layers": layers,
            "num_heads": heads,
            "relative_attention_num_buckets": 32,
            "relative_attention_max_distance": 128,
            "dropout_rate": 0.1,
            "layer_norm_epsilon": 1e-6,
            "initializer_factor": 1.0,
            "feed_forward_proj": "relu" if first else "gated-gelu",
            "tie_word_embeddings": first,
        },
        source=source,
        vocab_size=32128,
        positions=512,
        parameters=parameters,
        counted=T5ForConditionalGeneration,
    )


class T5(Family):
    """Text to text.

    In v1.1 encoder and decoder share an embedding, and the head has weights of its own. T5Config of transformers 5
    can't express that: it forces `tie_word_embeddings` to True, and a model built from a config that was set to False
    afterwards has three embeddings. But if T5Config is given False, it sets `scale_decoder_outputs` to False too, and
    this marks v1.1 here. `construct` gives the head its own weights
    and leaves the rest tied; the saved config says `tie_word_embeddings: false`, like the published ones.
    """

    name = "t5"
    title = "T5"
    paper = "Raffel et al. 2019, arXiv:1910.10683; v1.1: Shazeer 2020, arXiv:2002.05202"
    style = "t5"
    kind = "unigram"
    config_class = T5Config
    heads: ClassVar = {"seq2seq": T5ForConditionalGeneration}
    head_name = "lm_head"
    inputs = frozenset({"input_ids", "attention_mask"})
    position_table = None
    position_schemes = ("relative",)
    counts_from_pad = False
    freezes_pad = False
    obeys_is_decoder = False
    types_as_words = False
    matrices = (nn.Linear,)
    arguments: ClassVar = {}
    tiny: ClassVar = {"d_model": 32, "d_kv": 16, "d_ff": 48, "num_layers": 2, "num_heads": 2}
    relatives: ClassVar = {"mt5": {}, "umt5": {}, "longt5": {}}
    presets: ClassVar = {
        "t5-small": _preset(6, 512, 8, 2048, "hf.co/google-t5/t5-small", 60_506_624, first=True),
        # There is no published v1.1 of this size: it has the sizes of t5-efficient-tiny.
        "t5-v1.1-tiny": _preset(4, 256, 4, 1024, "Hornbook, after hf.co/google/t5-efficient-tiny", None),
        "t5-v1.1-small": _preset(8, 512, 6, 1024, "hf.co/google/t5-v1_1-small", 76_961_152),
        "t5-v1.1-base": _preset(12, 768, 12, 2048, "hf.co/google/t5-v1_1-base", 247_577_856),
    }

    def identifiers(self, tokenizer: PreTrainedTokenizerBase) -> dict[str, int | None]:
        """Add the decoder's first token, which is T5's pad."""
        if tokenizer.pad_token_id is None:
            raise HornbookError(
                "the tokenizer's pad_token_id is None, and T5's decoder starts with it; add a pad token"
            )
        return {**super().identifiers(tokenizer), "decoder_start_token_id": tokenizer.pad_token_id}

    def positions(self, tokenizer: PreTrainedTokenizerBase, length: int) -> dict[str, int]:
        """Note the length; positions are relative, so no weight depends on it."""
        return {"n_positions": length}

    def attention(self, config: PretrainedConfig) -> dict[str, int]:
        """For a target token, count its attention to the target and to the input."""
        width = config.num_heads * config.d_kv
        return {
            "input token": config.num_layers * width,
            "target token": 2 * config.num_decoder_layers * width,
        }

    def token_of(self, module: str) -> str:
        """Count the matrices that make the decoder's keys and values from the input as serving input tokens."""
        of_input = module.startswith("encoder.") or module.endswith(
            ("EncDecAttention.k", "EncDecAttention.v")
        )
        return "input token" if of_input else "target token"

    def construct(self, config: PretrainedConfig, head: Head) -> PreTrainedModel:
        """Make the model; an untied head starts as published, with a deviation of 1 / sqrt(d_model).

        The hidden states before the head have a root mean square of 1, so the logits start with a deviation
        of 1, and the loss near ln V + 1/2. transformers draws an untied head with a deviation of 1, which suits a
        head whose input is scaled; here the loss would start far above. Source: google-research/t5x,
        examples/t5/network.py, the `logits_dense` of T5 1.1 (`variance_scaling(1.0, fan_in)`).
        """
        model = super().construct(config, head)
        if not config.scale_decoder_outputs:
            model.lm_head.weight = nn.Parameter(torch.empty_like(model.lm_head.weight))
            nn.init.normal_(model.lm_head.weight, std=config.initializer_factor * config.d_model**-0.5)
            _mark_untied(model)
        return model

    def open(self, folder: Path | str, head: Head) -> PreTrainedModel:
        """Read a model back; an untied head keeps its own weights."""
        model = super().open(folder, head)
        if model.lm_head.weight is not model.shared.weight:
            _mark_untied(model)
        return model

    def adapt(self, model: PreTrainedModel) -> PreTrainedModel:
        """Let the normalisations use `RMSNorm`."""
        for module in super().adapt(model).modules():
            if type(module) is _T5LayerNorm:
                module.__class__ = RMSNorm
        return model

    def hidden(self, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> Tensor:
        """Compute the decoder's last hidden states (batch, target length, hidden), as the head expects them.

        The decoder reads `labels` (batch, target length) shifted right, -100 read as pad.
        """
        inputs = self._select(batch)
        encoded = model.encoder(**inputs).last_hidden_state
        decoded = model.decoder(
            input_ids=model.prepare_decoder_input_ids_from_labels(batch["labels"]),
            encoder_hidden_states=encoded,
            encoder_attention_mask=inputs.get("attention_mask"),
            use_cache=False,
        ).last_hidden_state
        return decoded * model.config.d_model**-0.5 if model.config.scale_decoder_outputs else decoded


def _mark_untied(model: Any) -> None:
    """Keep `tie_weights`, which resizing calls, from tying the head again, and let the config say so."""
    model.config.tie_word_embeddings = False
    model.all_tied_weights_keys.pop("lm_head.weight", None)


class RMSNorm(_T5LayerNorm):
    """T5's normalisation, with a gradient of its own in fp32 and fp64."""

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Divide hidden states (..., width) by their root mean square, and multiply them by the weight."""
        # In a narrower dtype each of our passes would round; the class widens to fp32 and rounds once.
        dtype = hidden_states.dtype
        if dtype != self.weight.dtype or dtype != sum_dtype(dtype):
            return super().forward(hidden_states)
        return _RMSNorm.apply(hidden_states, self.weight, self.variance_epsilon)


class _RMSNorm(torch.autograd.Function):
    """x / sqrt(mean(x ** 2) + epsilon) * weight (Zhang and Sennrich, 2019)."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        squares = torch.linalg.vector_norm(hidden, dim=-1, keepdim=True).square_()
        scale = squares.div_(hidden.shape[-1]).add_(epsilon).rsqrt_()
        normed = hidden * scale
        ctx.save_for_backward(normed, scale, weight)
        return normed * weight

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        normed, scale, weight = ctx.saved_tensors
        with without_autocast(outer.device.type):
            to_weight = (outer * normed).flatten(0, -2).sum(0)
            inner = outer * weight
            mean = torch.linalg.vecdot(inner, normed).unsqueeze(-1).div_(-normed.shape[-1])
            return torch.addcmul(inner, normed, mean).mul_(scale), to_weight, None
