"""What families of BERT's form have in common."""

from typing import ClassVar

from torch import nn

from hornbook.families.family import Family
from hornbook.families.positions import CHANGEABLE


class Encoder(Family):
    """A family of BERT's form, as Hugging Face's classes of it name their layers."""

    inputs = frozenset({"input_ids", "attention_mask", "position_ids", "token_type_ids"})
    position_table = "embeddings.position_embeddings"
    position_schemes = CHANGEABLE
    queries_and_keys = ("query", "key")
    counts_from_pad = False
    freezes_pad = True
    obeys_is_decoder = True
    types_as_words = False
    matrices = (nn.Linear,)
    arguments: ClassVar = {}
    tiny: ClassVar = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 48,
    }
