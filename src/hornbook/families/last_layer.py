"""The last layer of a BERT, computed only at places with labels: its output at the others isn't used."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from hornbook.families.attention import attend
from hornbook.families.encoder import Encoder
from hornbook.families.positions import has_table


class LastLayerAtPlaces(Encoder):
    """A family whose `last_layer` computes only the places with labels, since the loss reads no others."""

    last_layer: ClassVar[type[nn.Module]]
    """The class's own layer, with `AtPlaces` before it."""

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
        """Give hidden states (batch, places, width) from all of them (batch, length, width); without places, of all."""
        places: Tensor | None = kwargs.pop("places", None)
        states: Tensor
        if places is None:
            states = super().forward(hidden_states, attention_mask, *rest, **kwargs)
            return states
        own = self.attention.self
        wanted = _at(places, hidden_states)
        if has_table(own.config):
            query, key, value = (
                projection(given).unflatten(-1, (-1, own.attention_head_size)).transpose(1, 2)
                for projection, given in (
                    (own.query, wanted),
                    (own.key, hidden_states),
                    (own.value, hidden_states),
                )
            )
            # This is the padding mask, which is the same for every query.
            mask = None if attention_mask is None else attention_mask[:, :, :1]
            dropout = own.dropout.p if self.training else 0.0
            mixed = attend(own, query, key, value, mask, dropout, own.scaling)[0].flatten(2)
        else:  # rotary positions and ALiBi act inside the attention, which needs all places for that
            mixed = _at(places, own(hidden_states, attention_mask)[0])
        states = self.feed_forward_chunk(self.attention.output(mixed, wanted))
        return states


def _at(places: Tensor, states: Tensor) -> Tensor:
    """Take the states (batch, length, width) of some places (batch, places)."""
    return states.gather(1, places[..., None].expand(-1, -1, states.shape[-1]))
