"""A minimal pair, and the pairs that ask for the same thing."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Half:
    """One of a pair's two sentences, after its context; only the sentence is scored."""

    sentence: str
    context: str = ""

    @property
    def text(self) -> str:
        """What the model reads."""
        return f"{self.context} {self.sentence}" if self.context else self.sentence

    @property
    def begins(self) -> int:
        """The character of the text at which the sentence begins, with the space before it."""
        return len(self.context)


@dataclass(frozen=True)
class MinimalPair:
    """A good and a bad text that differ in little."""

    good: Half
    bad: Half


@dataclass(frozen=True)
class Paradigm:
    """Pairs that ask for the same thing, such as one of BLiMP's 67."""

    name: str
    pairs: Sequence[MinimalPair]
    groups: tuple[str, ...] = ()
    """The larger groups that it counts in, such as its field and its phenomenon."""
