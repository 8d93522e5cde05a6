"""BERT (Devlin et al. 2018, arXiv:1810.04805; the small ones: Turc et al. 2019, arXiv:1908.08962)."""

from typing import Any, ClassVar

from torch import Tensor
from transformers import BertConfig, BertForMaskedLM, BertForPreTraining, PreTrainedModel

from hornbook.families.last_layer import AtPlaces, LastLayerAtPlaces
from hornbook.families.preset import Preset
from hornbook.internals import read

_BertLayer: Any = read("transformers.models.bert.modeling_bert:BertLayer")


def _preset(layers: int, hidden: int, parameters: int, source: str) -> Preset:
    """Make a preset; all published sizes have heads of 64 and a feed-forward of four times the hidden size."""
    return Preset(
        values={
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": hidden // 64,
            "intermediate_size": 4 * hidden,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "type_vocab_size": 2,
            "initializer_range": 0.02,
            "layer_norm_eps": 1e-12,
        },
        source=source,
        vocab_size=30522,
        positions=512,
        parameters=parameters,
        counted=BertForPreTraining,
    )


class LastLayer(AtPlaces, _BertLayer):
    """The class's layer, which can also be computed at some places only."""


class Bert(LastLayerAtPlaces):
    """A masked model with segments."""

    name = "bert"
    title = "BERT"
    paper = "Devlin et al. 2018, arXiv:1810.04805"
    style = "bert"
    kind = "wordpiece"
    config_class = BertConfig
    heads: ClassVar = {"masked": BertForMaskedLM, "pairs": BertForPreTraining}
    head_name = "cls"
    last_layer = LastLayer
    relatives: ClassVar = {"distilbert": {"obeys_is_decoder": False}}
    # google-research/bert gives millions with one decimal: 4.4, 11.3, 29.1 and 110.1. These round to them.
    presets: ClassVar = {
        "bert-tiny": _preset(2, 128, 4_433_468, "hf.co/google/bert_uncased_L-2_H-128_A-2"),
        "bert-mini": _preset(4, 256, 11_267_900, "hf.co/google/bert_uncased_L-4_H-256_A-4"),
        "bert-small": _preset(4, 512, 29_058_876, "hf.co/google/bert_uncased_L-4_H-512_A-8"),
        "bert-base": _preset(12, 768, 110_106_428, "hf.co/google-bert/bert-base-uncased"),
    }

    def features(self, model: PreTrainedModel, hidden: Tensor) -> Tensor:
        """Apply the head's own layer."""
        return model.cls.predictions.transform(hidden)

    def pair_logits(self, model: PreTrainedModel, hidden: Tensor) -> Tensor:
        """Judge pairs of segments by the first place's hidden state."""
        return model.cls.seq_relationship(model.bert.pooler(hidden))
