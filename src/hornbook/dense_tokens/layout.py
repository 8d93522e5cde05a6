"""The layout of a batch with dense tokens: attention mask, position ids, and which tokens get a vector."""

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """A batch of sequences, shape (B, T), with dense tokens.

    The mask and the positions follow from the first four fields alone. Hugging Face's classes would guess documents
    from position ids, and take a shared position for the start of another document.
    """

    dense: Tensor
    """True at dense tokens."""
    real: Tensor
    """False at padding, on whichever side."""
    documents: Tensor
    """The document number of each place. Documents stand one after the other; a place attends only to its own."""
    share_positions: bool
    """Whether a dense token has the position of the word before it."""
    follows: Tensor = field(init=False)
    """True at places that are predicted: all but the first of each document."""
    fed: Tensor = field(init=False)
    """True at dense tokens that get a vector: all but one that begins a document."""
    positions: Tensor = field(init=False)
    """The position id of each place."""
    cuts: tuple[int, ...] = field(init=False)
    """Columns before which filling one by one stops: 0, and each column in which any row gets a vector."""
    rounds: int = field(init=False)
    """Rounds after which filling in rounds is exact: the most vectors in any document."""
    _masks: dict[torch.dtype, Tensor] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Compute the other fields."""
        follows = torch.zeros_like(self.dense)
        follows[:, 1:] = (
            self.real[:, 1:] & self.real[:, :-1] & (self.documents[:, 1:] == self.documents[:, :-1])
        )
        fed = self.dense & follows
        starts = self.real & ~follows
        steps = self.real & ~self.dense if self.share_positions else self.real
        columns = fed.any(0).nonzero().squeeze(1).tolist()
        values = {
            "follows": follows,
            "fed": fed,
            "positions": (_count_within(steps, starts) - 1).clamp(min=0),
            "cuts": (0, *columns),
            "rounds": int(_count_within(fed, starts).max()) if columns else 0,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(
        cls,
        ids: Tensor,
        dense_id: int,
        share_positions: bool = True,
        real: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> "Layout":
        """Lay out ids, shape (B, T). By default nothing is padding, and each row is one document."""
        real = torch.ones_like(ids, dtype=torch.bool) if real is None else real.bool()
        documents = torch.zeros_like(ids) if documents is None else documents
        return cls((ids == dense_id) & real, real, documents, share_positions)

    def mask(self, dtype: torch.dtype) -> Tensor:
        """Make the attention mask, shape (B, 1, T, T), or (1, 1, T, T) if each row is one document without padding.

        The mask is added to the attention scores: 0 where a place may attend, else the lowest number. Padding attends
        to the padding before it, so that no row of the softmax is empty.
        """
        if dtype not in self._masks:
            columns = torch.arange(self.dense.shape[1], device=self.dense.device)
            seen = (columns <= columns[:, None])[None]
            whole = bool(self.real.all()) and bool((self.documents[:, 1:] == self.documents[:, :-1]).all())
            if not whole:
                seen = seen & (self.real[:, :, None] == self.real[:, None, :])
                seen = seen & (self.documents[:, :, None] == self.documents[:, None, :])
            added = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
            self._masks[dtype] = added.masked_fill_(~seen, torch.finfo(dtype).min)[:, None]
        return self._masks[dtype]


def _count_within(ones: Tensor, starts: Tensor) -> Tensor:
    """Count the ones along each row, up to and including each place; start anew at each start: shape (B, T)."""
    ones = ones.long()
    total = ones.cumsum(1)
    before = (total - ones).masked_fill(~starts, 0).cummax(1).values
    return total - before
