"""RoBERTa (Liu et al. 2019, arXiv:1907.11692)."""

from typing import Any, ClassVar

from torch import Tensor
from torch.nn.functional import gelu
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    RobertaConfig,
    RobertaForMaskedLM,
)

from hornbook.errors import HornbookError
from hornbook.families.last_layer import AtPlaces, LastLayerAtPlaces
from hornbook.families.preset import Preset
from hornbook.internals import read

_RobertaLayer: Any = read("transformers.models.roberta.modeling_roberta:RobertaLayer")


def shifted(tokenizer: PreTrainedTokenizerBase, length: int) -> int:
    """Count the rows of RoBERTa's position table for `length` tokens: length + pad id + 1.

    RoBERTa numbers a sequence's tokens from pad id + 1 and gives padding the position pad id, so the rows up
    to the pad id serve no token. The published 514 are for 512 tokens and pad id 1.
    """
    if tokenizer.pad_token_id is None:
        raise HornbookError(
            "the tokenizer's pad_token_id is None, and RoBERTa counts positions from it; add a pad token"
        )
    return length + tokenizer.pad_token_id + 1


class LastLayer(AtPlaces, _RobertaLayer):
    """The class's layer, which can also be computed at some places only."""


class Roberta(LastLayerAtPlaces):
    """A masked model without segments, with positions counted from the pad id."""

    name = "roberta"
    title = "RoBERTa"
    paper = "Liu et al. 2019, arXiv:1907.11692"
    style = "shared"
    kind = "bpe"
    config_class = RobertaConfig
    heads: ClassVar = {"masked": RobertaForMaskedLM}
    head_name = "lm_head"
    inputs = LastLayerAtPlaces.inputs - {"token_type_ids"}
    last_layer = LastLayer
    counts_from_pad = True
    relatives: ClassVar = {
        "camembert": {},
        "xlm-roberta": {},
        "xlm-roberta-xl": {},
        "roberta-prelayernorm": {},
    }
    presets: ClassVar = {
        "roberta-base": Preset(
            values={
                "hidden_size": 768,
                "num_hidden_layers": 12,
                "num_attention_heads": 12,
                "intermediate_size": 3072,
                "hidden_act": "gelu",
                "hidden_dropout_prob": 0.1,
                "attention_probs_dropout_prob": 0.1,
                "type_vocab_size": 1,
                "initializer_range": 0.02,
                "layer_norm_eps": 1e-5,
            },
            source="hf.co/FacebookAI/roberta-base",
            vocab_size=50265,
            positions=512,
            parameters=124_697_433,
            counted=RobertaForMaskedLM,
            pad=1,
        ),
    }

    def positions(self, tokenizer: PreTrainedTokenizerBase, length: int) -> dict[str, int]:
        """Count from the pad id, see `shifted`."""
        return {"max_position_embeddings": shifted(tokenizer, length)}

    def features(self, model: PreTrainedModel, hidden: Tensor) -> Tensor:
        """Apply the head's own layer."""
        head = model.lm_head
        return head.layer_norm(gelu(head.dense(hidden)))
