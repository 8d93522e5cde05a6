"""What chance can do: intervals over seeds, p-values of several comparisons, and the seeds that would be enough."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

import numpy as np
from scipy.special import nctdtr, stdtr, stdtrit

from hornbook.rng import key

_RESAMPLES = 10_000
_MOST = 1000
"""A study has no more seeds than this."""


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of two or more values, and both ends of Student's 95 % interval for it."""
    middle, freedom = fmean(values), len(values) - 1
    reach = float(stdtrit(freedom, 0.975)) * stdev(values) / math.sqrt(len(values))
    return middle, middle - reach, middle + reach


def resampled(values: Sequence[float]) -> tuple[float, float]:
    """Return the middle 95 % of the mean of values that are drawn again (the percentile bootstrap of Efron, 1979).

    It equals `scipy.stats.bootstrap(method="percentile")` up to its draws. Of few values it is too narrow: of three,
    there are ten different samples.
    """
    given = np.asarray(values, np.float64)
    drawn = np.random.default_rng(key("seeds", len(given))).integers(
        len(given), size=(_RESAMPLES, len(given))
    )
    low, high = np.percentile(given[drawn].mean(1), [2.5, 97.5])
    return float(low), float(high)


def alike(differences: Sequence[float]) -> bool:
    """Tell whether all differences are one number but for rounding.

    A share of some hundred questions has few values, so that seeds agree by chance. Their spread, by which the t-test
    judges, is then not 0 but unknown.
    """
    return max(differences) - min(differences) <= 1e-9 * max(map(abs, differences))


def chance(differences: Sequence[float]) -> float:
    """Compute the p-value of the paired t-test, two-sided: that the differences' mean is 0; 1 where all are alike."""
    spread = stdev(differences)
    if alike(differences):
        return 1.0
    ratio = fmean(differences) / (spread / math.sqrt(len(differences)))
    return float(2 * stdtr(len(differences) - 1, -abs(ratio)))


def holm(chances: Sequence[float]) -> list[float]:
    """Adjust the p-values of several comparisons, so that 5 % bounds the chance of any false one (Holm, 1979)."""
    adjusted, most = [0.0] * len(chances), 0.0
    for place, number in enumerate(sorted(range(len(chances)), key=lambda number: chances[number])):
        most = max(most, min(1.0, (len(chances) - place) * chances[number]))
        adjusted[number] = most
    return adjusted


def seeds_needed(differences: Sequence[float], level: float = 0.05, power: float = 0.8) -> int | None:
    """Compute how many seeds would show a difference as large as this one, with this power, by the paired t-test.

    The power is that of the noncentral t distribution (Cohen, "Statistical Power Analysis", 1988). None is over 1,000,
    or unknown where all are alike.
    """
    spread, mean = stdev(differences), abs(fmean(differences))
    if alike(differences):
        return None
    for seeds in range(2, _MOST + 1):
        shift, edge = mean / spread * math.sqrt(seeds), float(stdtrit(seeds - 1, 1 - level / 2))
        if 1 - nctdtr(seeds - 1, shift, edge) + nctdtr(seeds - 1, shift, -edge) >= power:
            return seeds
    return None
