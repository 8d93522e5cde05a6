"""Intervals of shares: how far off a share may be that was found on so many questions."""

from math import sqrt

_Z = 1.959964
"""95 % of a normal distribution lie within so many deviations."""


def wilson(share: float, count: float) -> tuple[float, float]:
    """Compute the 95 % interval of a share that was observed in `count` cases (Wilson, "Probable inference", 1927)."""
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)
