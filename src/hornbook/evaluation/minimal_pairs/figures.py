"""What a model's scores on minimal pairs come to: shares, intervals, ties, and what length did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hornbook.evaluation.intervals import wilson


@dataclass(frozen=True)
class Share:
    """A share of pairs that are judged right, in per cent, with the 95 % interval over pairs."""

    right: float
    low: float
    high: float
    pairs: int
    ties: int
    """How many of them are ties, each half right. (Programs that take the first of equals count them as right.)"""


def judged(differences: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Judge pairs: 1 where the good half is likelier, 0 where the bad one is, and a half for a tie."""
    return np.where(differences == 0, 0.5, differences > 0)


def share(paradigms: Sequence[npt.NDArray[np.float64]]) -> Share:
    """Average the paradigms' own shares, as BLiMP and BabyLM do, so that each counts the same.

    The interval is Wilson's, with as many pairs as would give the same variance if all
    counted the same (Kish, 1965): for paradigms of one size that is all pairs.
    """
    sizes = np.array([len(one) for one in paradigms])
    mean = float(np.mean([one.mean() for one in paradigms]))
    low, high = wilson(mean, float(len(sizes) ** 2 / (1 / sizes).sum()))
    ties = sum(int((one == 0.5).sum()) for one in paradigms)
    return Share(100 * mean, 100 * low, 100 * high, int(sizes.sum()), ties)


def lengths(right: npt.NDArray[np.float64], good: npt.NDArray[np.int64], bad: npt.NDArray[np.int64]) -> str:
    """Tell what length did: how the model judges pairs of equal length, and whether it prefers the shorter half."""
    same = good == bad
    told = []
    if same.any():
        told.append(
            f"In {same.sum():,} pairs both halves have as many tokens: {100 * right[same].mean():.1f} % right"
        )
    if (~same).any():
        shorter = (good < bad)[~same]
        preferred = np.where(shorter, right[~same], 1 - right[~same]).mean()
        told.append(
            f"In {(~same).sum():,} they differ: {100 * right[~same].mean():.1f} % right; it prefers the shorter half "
            f"in {100 * preferred:.1f} %, and the shorter one is good in {100 * shorter.mean():.1f} %"
        )
    return ". ".join(told) + "."


def grouped(groups: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """List the paradigms of each larger group, in the groups' order, given the groups of each paradigm."""
    found: dict[str, list[str]] = {}
    for paradigm, names in groups.items():
        for name in names:
            found.setdefault(name, []).append(paradigm)
    return dict(sorted(found.items(), key=lambda one: (not one[0].startswith("field: "), one[0])))
