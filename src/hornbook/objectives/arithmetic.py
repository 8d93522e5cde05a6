"""A term of a loss as arithmetic, place by place: -ln p = ln of the sum of e^logit, less the right one's logit."""

from dataclasses import dataclass

from torch import Tensor

from hornbook.dtypes import sum_dtype


@dataclass(frozen=True)
class Arithmetic:
    """What a loss's term is the sum of: N places, each with a choice among tokens or among a few classes."""

    rows: Tensor
    """The example of each place in its batch, shape (N,)."""
    places: Tensor
    """The place in the example, shape (N,)."""
    right: Tensor
    """What is right: a token's id, or a class, shape (N,)."""
    logits: Tensor
    """The logit of what is right, shape (N,)."""
    totals: Tensor
    """ln of the sum of e^logit over all that can be chosen, shape (N,)."""
    best: Tensor
    """What the model finds likeliest, shape (N,)."""
    choices: int
    """How many logits each place has."""
    classes: tuple[str, ...] = ()
    """The names of the classes, in their order; empty where the choice is among tokens."""
    read: Tensor | None = None
    """The id that stood at the place when the model judged it, shape (N,), where it is another than the batch's."""

    @property
    def nats(self) -> Tensor:
        """-ln p of what is right, shape (N,)."""
        return self.totals - self.logits


def judge(
    logits: Tensor,
    right: Tensor,
    rows: Tensor,
    places: Tensor,
    classes: tuple[str, ...] = (),
    read: Tensor | None = None,
) -> Arithmetic:
    """Write logits (N, choices) down beside what is right (N,); the arguments after them are the fields' own."""
    logits = logits.to(sum_dtype(logits.dtype))
    chosen = logits.gather(1, right[:, None]).squeeze(1)
    return Arithmetic(
        rows, places, right, chosen, logits.logsumexp(1), logits.argmax(1), logits.shape[1], classes, read
    )
