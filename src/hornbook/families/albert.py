"""ALBERT (Lan et al. 2019, arXiv:1909.11942)."""

from typing import ClassVar

from torch import Tensor
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    AlbertForPreTraining,
    AlbertModel,
    PretrainedConfig,
    PreTrainedModel,
)

from hornbook.families.encoder import Encoder
from hornbook.families.preset import Preset


class Albert(Encoder):
    """A masked model; the layers of a group share their weights, and the embedding is narrower than the layers."""

    name = "albert"
    title = "ALBERT"
    paper = "Lan et al. 2019, arXiv:1909.11942"
    style = "albert"
    kind = "unigram"
    config_class = AlbertConfig
    heads: ClassVar = {"masked": AlbertForMaskedLM, "pairs": AlbertForPreTraining}
    head_name = "predictions"
    obeys_is_decoder = False
    tiny: ClassVar = Encoder.tiny | {"embedding_size": 16}
    presets: ClassVar = {
        "albert-base-v2": Preset(
            values={
                "embedding_size": 128,
                "hidden_size": 768,
                "num_hidden_layers": 12,
                "num_hidden_groups": 1,
                "inner_group_num": 1,
                "num_attention_heads": 12,
                "intermediate_size": 3072,
                "hidden_act": "gelu_new",
                "hidden_dropout_prob": 0.0,
                "attention_probs_dropout_prob": 0.0,
                "classifier_dropout_prob": 0.1,
                "type_vocab_size": 2,
                "initializer_range": 0.02,
                "layer_norm_eps": 1e-12,
            },
            source="hf.co/albert/albert-base-v2",
            vocab_size=30000,
            positions=512,
            parameters=11_683_584,
            counted=AlbertModel,
        ),
    }

    def attention(self, config: PretrainedConfig) -> dict[str, int]:
        """Count each of the inner layers that make up a layer."""
        return {"token": config.num_hidden_layers * config.inner_group_num * config.hidden_size}

    def check(self, config: PretrainedConfig) -> None:
        """Refuse heads that don't fill the hidden size, and groups that no layer would use."""
        super().check(config)
        width, heads = config.hidden_size, config.num_attention_heads
        if width % heads:  # all our other classes check this themselves
            raise ValueError(f"hidden_size {width} is not a multiple of num_attention_heads {heads}")
        groups, layers = config.num_hidden_groups, config.num_hidden_layers
        if not 1 <= groups <= layers:
            raise ValueError(f"num_hidden_groups is {groups} for {layers} layers, not from 1 to {layers}")

    def features(self, model: PreTrainedModel, hidden: Tensor) -> Tensor:
        """Apply the head's own layer, which is as narrow as the embedding."""
        head = model.predictions
        return head.LayerNorm(head.activation(head.dense(hidden)))

    def pair_logits(self, model: PreTrainedModel, hidden: Tensor) -> Tensor:
        """Judge pairs of segments by the first place's hidden state."""
        base = model.albert
        return model.sop_classifier(base.pooler_activation(base.pooler(hidden[:, 0])))
