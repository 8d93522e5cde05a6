"""A study's answer: differences between arms, with intervals over seeds, in sentences."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from scipy.special import stdtrit

from hornbook.studies.study import Figure


@dataclass(frozen=True)
class Answer:
    """How an arm differs from the first one in a figure, over the seeds that both have."""

    figure: str
    arm: str
    base: str
    difference: float
    """The mean over seeds of the arm's value minus the first arm's."""
    low: float
    """The lower end of its 95 % interval."""
    high: float
    decided: bool
    """Whether the interval excludes 0."""
    sentence: str


def answer(name: str, figure: Figure, values: Mapping[str, Sequence[float]]) -> list[Answer]:
    """Compare each arm with the first, paired by seed; `values` holds each arm's figure at each seed."""
    (base, of_base), *others = values.items()
    return [_compare(name, figure, base, of_base, arm, of_arm) for arm, of_arm in others]


def _compare(
    name: str, figure: Figure, base: str, of_base: Sequence[float], arm: str, of_arm: Sequence[float]
) -> Answer:
    differences = [one - other for one, other in zip(of_arm, of_base, strict=True)]
    difference, low, high = interval(differences)
    decided = low > 0 or high < 0
    lower = figure.lower
    noise = f"95 % interval {show(low, lower, True)} to {show(high, lower, True)}, {len(differences)} seeds"
    unit, by = ("", figure.unit) if lower else (" %", "points")
    verdict = (
        f"{'better' if (difference < 0) == lower else 'worse'} by {show(abs(difference), lower)} {by} ({noise})"
        if decided
        else f"undecided, for the difference of {show(difference, lower, True)} may be chance ({noise})"
    )
    ours, theirs = show(fmean(of_arm), lower), show(fmean(of_base), lower)
    sentence = f"{name}: {ours}{unit} ({arm}) against {theirs}{unit} ({base}), {verdict}."
    return Answer(name, arm, base, difference, low, high, decided, sentence[:1].upper() + sentence[1:])


def uneven(seconds: Mapping[str, Sequence[float]], most: float = 1.1) -> list[str]:
    """Return a remark if the arms' average training times, which should be equal, differ by more than a tenth."""
    means = {arm: fmean(of_arm) for arm, of_arm in seconds.items()}
    if max(means.values()) <= most * min(means.values()):
        return []
    told = ", ".join(f"{arm} {taken:.0f} s" for arm, taken in means.items())
    because = (
        "the machine had other work, or steps became slower; on a quiet one, begin again with another --out"
    )
    return [f"The times of training aren’t equal after all ({told}): {because}."]


def show(value: float, lower: bool, sign: bool = False) -> str:
    """Format a figure: a loss (`lower` is better) with 3 decimals, a share in per cent."""
    written = f"{value:{'+' if sign else ''}.3f}" if lower else f"{100 * value:{'+' if sign else ''}.1f}"
    return written.replace("-", "−")


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of two or more values, and both ends of Student's 95 % interval for it."""
    middle, freedom = fmean(values), len(values) - 1
    reach = float(stdtrit(freedom, 0.975)) * stdev(values) / math.sqrt(len(values))
    return middle, middle - reach, middle + reach
