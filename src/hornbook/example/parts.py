"""The parts of an example, as plain values, for whoever draws them."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["", "hidden", "mask", "random", "kept", "sentinel", "special", "padding", "dense"]
"""What is special about a token: of the text, that it is hidden; of the input, what a hidden one became."""


@dataclass(frozen=True)
class Token:
    """A token of the text."""

    id: int
    token: str
    kind: Kind = ""


@dataclass(frozen=True)
class Place:
    """A place of a sequence that a model reads."""

    place: int
    id: int
    token: str
    kind: Kind
    predicts: str
    """The token that the state of this place has to predict; empty where nothing is learned."""
    segment: int | None
    """None where the model has no segments."""
    position: int | None
    """The row of the position table; None where there is no table."""
    sees: tuple[tuple[int, int], ...]
    """The places that attention may look at, as ranges from first to last."""
    passes: str = ""
    """What a dense token gets from the place before it, in words."""


@dataclass(frozen=True)
class Sequence:
    """What an encoder or a decoder reads, and what it has to predict there."""

    name: str
    text: str
    """All of it in one line, each special token by its name."""
    places: tuple[Place, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class LossStep:
    """The loss of one place: nats = total - logit, and probability = e^-nats."""

    place: int
    right: str
    """What is right there: a token, or the name of a class."""
    logit: float
    """Its logit."""
    total: float
    """ln of the sum of e^logit over all that could be chosen."""
    nats: float
    probability: float
    best: str
    """What the model finds likeliest."""
    read: str = ""
    """What stood at the place when it was judged, where a model chose it."""


@dataclass(frozen=True)
class Term:
    """A term of the loss: its places, how many they are, their sum, and their mean."""

    name: str
    steps: tuple[LossStep, ...]
    """Empty for a term that is no sum of -ln p, such as an accuracy."""
    sum: float
    count: int
    weight: float
    """The weight of the mean in the loss; 0 for what is only watched."""
    choices: int = 0
    """How many logits each of its places has: the logits have the shape (count, choices)."""

    @property
    def mean(self) -> float:
        """The sum over the count."""
        return self.sum / max(self.count, 1)
