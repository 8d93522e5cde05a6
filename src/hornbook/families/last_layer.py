"""The last layer of a BERT, computed only at places with labels: its output at the others isn't used."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from hornbook.families.attention import attend
from hornbook.families.family import Family
from hornbook.families.positions import CHANGEABLE, has_table


class Encoder(Family):
    """A family of BERT's form, whose last layer needs to be computed at some places only."""

    head_name = "lm_head"
    inputs = frozenset({"input_ids", "attention_mask", "position_ids"})
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
    last_layer: ClassVar[type[nn.Module]]
    """The class's own layer, which can also be computed at some places only."""

    def adapt(self, model: PreTrainedModel) -> PreTrainedModel:
        """Let the last layer be computed at some places only."""
        super().adapt(model)
        model.base_model.encoder.layer[-1].__class__ = self.last_layer
        return model

    def hidden_and_labels(self, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Give the states of the first place and of places with labels, padded to the most that a sequence has."""
        wanted = batch["labels"] >= 0
        wanted[:, 0] = True  # pairs are judged by it
        most = int(wanted.sum(1).max())
        places = wanted.to(torch.uint8).argsort(stable=True, dim=1, descending=True)[:, :most]
        hidden = model.base_model(**self._select(batch), places=places, **self.arguments).last_hidden_state
        return hidden, batch["labels"].gather(1, places)


class AtPlaces(nn.Module):
    """A layer of BERT's form that can be computed at some places (batch, places) only."""

    attention: Any
    feed_forward_chunk: Any

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None = None, *rest: Any, **kwargs: Any
    ) -> Tensor:
        """Give hidden states (batch, places or length, width)."""
        places: Tensor | None = kwargs.pop("places", None)
        if places is None:
            everywhere: Tensor = super().forward(hidden_states, attention_mask, *rest, **kwargs)
            return everywhere
        own = self.attention.self
        asking = _at(places, hidden_states)
        if not has_table(own.config):  # the attention tells where each stands, and needs all of them for that
            mixed = _at(places, own(hidden_states, attention_mask)[0])
            told: Tensor = self.feed_forward_chunk(self.attention.output(mixed, asking))
            return told
        query, key, value = (
            projection(states).unflatten(-1, (-1, own.attention_head_size)).transpose(1, 2)
            for projection, states in (
                (own.query, asking),
                (own.key, hidden_states),
                (own.value, hidden_states),
            )
        )
        # This is the padding mask, which is the same for every query.
        mask = None if attention_mask is None else attention_mask[:, :, :1]
        dropout = own.dropout.p if self.training else 0.0
        mixed, _ = attend(own, query, key, value, mask, dropout, own.scaling)
        states: Tensor = self.feed_forward_chunk(self.attention.output(mixed.flatten(2), asking))
        return states


def _at(places: Tensor, states: Tensor) -> Tensor:
    """Take the states (batch, length, width) of some places (batch, places)."""
    return states.gather(1, places[..., None].expand(-1, -1, states.shape[-1]))
