"""A counter-based random number generator: numbers depend on what they are for, not on when they are drawn.

Every random number of a run is a function of (seed, step, row, purpose). It doesn't depend on earlier draws, nor on the
number of processes or workers. So a resumed run is the same run.

The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), one
stream for each key, evaluated for all rows at once.
"""

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

UInt64s = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_30, _27, _31 = np.array([30, 27, 31], np.uint64)


def mix(values: UInt64s) -> UInt64s:
    """SplitMix64's finalizer: a bijection of 64 bits, after which every output bit depends on every input bit."""
    # In place, and with constants made once: every batch calls this some twenty times.
    values = values ^ (values >> _30)
    values *= _FIRST
    values ^= values >> _27
    values *= _SECOND
    values ^= values >> _31
    return values


def key(*parts: int | str) -> int:
    """Hash the parts, in their order, into a 63-bit key that is the same on every machine."""
    digest = hashlib.blake2b(
        "\0".join(f"{type(part).__name__}:{part}" for part in parts).encode(), digest_size=8
    )
    return int.from_bytes(digest.digest(), "little") >> 1


@dataclass(frozen=True)
class CounterRNG:
    """The random numbers of some examples of one step.

    `rows` are the examples' numbers within the step, shape (B,). A process that has only some of a step's examples gets
    the same random numbers for them as a single process would. Where no step of a training is meant, `step` is a word.
    """

    seed: int
    step: int | str
    rows: npt.NDArray[np.int64]

    def uniform(self, purpose: str, count: int) -> npt.NDArray[np.float64]:
        """Draw `count` numbers from [0, 1) for each row: shape (B, count). Each purpose has its own stream."""
        return _numbers(self._streams(purpose)[:, None], np.arange(count))

    def uniform_at(
        self, purpose: str, examples: npt.NDArray[np.int64], places: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Return the numbers of `uniform` at [examples, places], without computing the rest: shape (len(places),)."""
        return _numbers(self._streams(purpose)[examples], places)

    def integers(self, purpose: str, count: int, below: int) -> npt.NDArray[np.int64]:
        """Draw `count` whole numbers from 0 to below - 1 for each row: shape (B, count)."""
        return (self.uniform(purpose, count) * below).astype(np.int64)

    def choose(self, purpose: str, count: int, chosen: int) -> npt.NDArray[np.int64]:
        """Choose `chosen` of `count` places for each row, every set equally likely: shape (B, chosen), ascending."""
        order = (
            np.argpartition(self.uniform(purpose, count), chosen - 1, axis=1)
            if chosen
            else np.empty((len(self.rows), 0))
        )
        return np.sort(order[:, :chosen], axis=1).astype(np.int64)

    def _streams(self, purpose: str) -> UInt64s:
        """Compute the start of each row's stream."""
        stream = np.uint64(key(self.seed, self.step, purpose))
        return mix(mix(stream + self.rows.astype(np.uint64) * _GOLDEN))


def _numbers(streams: UInt64s, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Compute the numbers from [0, 1) at some places of streams."""
    bits = mix(streams + (places + 1).astype(np.uint64) * _GOLDEN)
    bits >>= np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53


def permute(places: npt.NDArray[np.int64], size: int, stream: int) -> npt.NDArray[np.int64]:
    """Map places of range(size) to places of range(size), by a bijection that `stream` chooses.

    This shuffles billions of windows without memory, and computes any single place at once. It is a Feistel network
    over pairs of a number below a and a number below b, where a * b is slightly more than `size`; results outside the
    range are mapped again (the generalized Feistel cipher and cycle walking of Black and Rogaway, "Ciphers with
    arbitrary finite domains", 2002).
    """
    side = math.isqrt(max(size - 1, 0)) + 1
    rows, columns = np.uint64(side), np.uint64(-(-size // side))
    out = places.astype(np.uint64)
    walking = np.arange(len(out))
    while len(walking):
        row, column = np.divmod(out[walking], columns)
        for number, one in enumerate(_keys(stream)):
            if number % 2:
                column = (column + mix(row + one) % columns) % columns
            else:
                row = (row + mix(column + one) % rows) % rows
        out[walking] = row * columns + column
        walking = walking[out[walking] >= size]
    return out.astype(np.int64)


@lru_cache(maxsize=64)
def _keys(stream: int) -> list[np.uint64]:
    """Make the keys of the network's rounds."""
    return [np.uint64(key(stream, number)) for number in range(8)]
