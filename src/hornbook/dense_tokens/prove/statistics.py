"""Intervals that count both sources of chance: the seeds and the questions."""

from dataclasses import dataclass
from functools import cache
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, ndtri

from hornbook.rng import key

Bools = npt.NDArray[np.bool_]
Figures = npt.NDArray[np.bool_] | npt.NDArray[np.floating]

_RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A mean, and the middle 95 % of its resampled values."""

    mean: float
    low: float
    high: float


def accuracy(right: Figures) -> Interval:
    """Compute the share of right answers, or the mean of other figures, (seeds, questions), with its interval."""
    return _bootstrap(right.astype(np.float64))


def difference(one: Figures, other: Figures) -> Interval:
    """Compute the mean of `one` - `other`, both (seeds, questions), paired by seed and question."""
    return _bootstrap(one.astype(np.float64) - other.astype(np.float64))


def mcnemar(one: Bools, other: Bools) -> float:
    """Compute the p-value that both are equally good, from answers of shape (M,) (exact, two-sided; McNemar 1947).

    Only questions that exactly one of them answers count.
    """
    wins, losses = int((one & ~other).sum()), int((other & ~one).sum())
    # This equals scipy.stats.binomtest, which takes three quarters of a second to import.
    return min(1.0, 2 * float(bdtr(min(wins, losses), wins + losses, 0.5)))


def needed(difference: float, share: float, level: float = 0.05, power: float = 0.8) -> int:
    """Compute how many questions it takes to show a `difference` between two models that answer about `share` of them.

    For McNemar's two-sided test with this power (Connor, "Sample size for testing differences in proportions for the
    paired-sample design", 1987, eq. 3). It assumes that the models err independently; models that agree more often
    need fewer questions.
    """
    better = min(1.0, share + difference)
    split = share * (1 - better) + better * (1 - share)  # how often exactly one of them is right
    confident, sure = ndtri([1 - level / 2, power])
    return ceil((confident * sqrt(split) + sure * sqrt(split - difference**2)) ** 2 / difference**2)


def _bootstrap(values: npt.NDArray[np.float64]) -> Interval:
    """Resample seeds and questions, each with replacement and both at once (Owen, "The pigeonhole bootstrap", 2007)."""
    by_seed, by_question = _weights(*values.shape)
    low, high = np.percentile(((by_seed @ values) * by_question).sum(1), [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))


@cache
def _weights(seeds: int, questions: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Draw each seed's and question's weight in each resample, shapes (R, S) and (R, Q); the same on every call."""
    rng = np.random.default_rng(key("bootstrap", seeds, questions))

    def weights(count: int) -> npt.NDArray[np.float64]:
        return rng.multinomial(count, np.full(count, 1 / count), _RESAMPLES) / count

    return weights(seeds), weights(questions)
