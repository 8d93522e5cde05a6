"""A likelihood, and the text that it is over."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Likelihood:
    """How likely a model finds some documents."""

    nats: float
    """The sum of -ln p over all tokens."""
    tokens: int
    bytes: int
    """Size of the documents in UTF-8."""
    documents: int

    @property
    def bits_per_byte(self) -> float:
        """The nats in bits, per byte: comparable between tokenizers."""
        return self.nats / math.log(2) / self.bytes


def spread(count: int, wanted: int | None) -> npt.NDArray[np.int64]:
    """Choose `wanted` of `count` indices, evenly spread and ascending, or all if there are no more."""
    if wanted is None or wanted >= count:
        return np.arange(count)
    return np.linspace(0, count - 1, wanted).astype(np.int64)
