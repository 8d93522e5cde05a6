"""Insert dense tokens between words, a whole batch at a time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hornbook.rng import CounterRNG

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Inserted:
    """Sequences with dense tokens in them."""

    ids: Ints
    """Shape (B, L + n), where n is the most dense tokens in any row."""
    origin: Ints
    """The column in `words` of each place; a dense token has the column of the word before it."""
    dense: Bools
    """True at the inserted dense tokens."""
    real: Bools
    """False at padding: the end of rows that got fewer dense tokens than others."""


def insert(words: Ints, after: Ints, dense_id: int) -> Inserted:
    """Insert a dense token into words (B, L) after each of the columns `after`, shape (B, n).

    A column may be named twice. Column L stands for no token, so that rows may get different numbers of dense tokens.
    """
    length = words.shape[1]
    columns = np.broadcast_to(np.arange(length), words.shape)
    origin = np.concatenate([columns, after], 1)
    dense = np.concatenate([np.zeros_like(columns), np.ones_like(after)], 1)
    order = np.argsort(2 * origin + dense, axis=1, kind="stable")
    order = order[:, : length + int((after < length).sum(1).max(initial=0))]
    origin = np.take_along_axis(origin, order, 1)
    is_dense = np.take_along_axis(dense, order, 1).astype(bool)
    real, origin = origin < length, np.minimum(origin, length - 1)
    ids = np.where(is_dense, dense_id, np.take_along_axis(words, origin, 1))
    return Inserted(ids, origin, is_dense & real, real)


def choose_places(rng: CounterRNG, purpose: str, weights: Floats, proposals: int, count: int) -> Ints:
    """Draw `proposals` sets of `count` columns for each row of weights (B, L): shape (B, proposals, count), ascending.

    This is weighted sampling without replacement (Efraimidis and Spirakis, 2006): a column is drawn in proportion to
    its weight, never if its weight is 0. Each row needs `count` weights above 0.
    """
    rows, length = weights.shape
    uniform = rng.uniform(purpose, proposals * length).reshape(rows, proposals, length)
    with np.errstate(divide="ignore"):
        keys = np.where(weights[:, None] > 0, np.log(uniform) / np.maximum(weights[:, None], 1e-30), -np.inf)
    return np.sort(np.argpartition(-keys, count - 1, axis=2)[:, :, :count], axis=2)


def every(words: Ints, spacing: int) -> Ints:
    """Return the column of every `spacing`-th word, but not of the last word: shape (B, n)."""
    columns = np.arange(spacing - 1, words.shape[1] - 1, spacing)
    return np.broadcast_to(columns, (len(words), len(columns)))
