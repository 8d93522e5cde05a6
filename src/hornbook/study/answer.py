"""What follows from a study's figures: differences between arms, with honest intervals, in sentences."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hornbook.study.study import Figure


@dataclass(frozen=True)
class Answer:
    """How an arm differs from the first one in a figure, over the seeds that both have."""

    figure: str
    arm: str
    base: str
    difference: float
    """Mean over the seeds of the arm's value less the first arm's."""
    low: float
    """Where its 95 % interval begins."""
    high: float
    decided: bool
    """Whether the interval leaves 0 out."""
    sentence: str


def answer(name: str, figure: Figure, values: Mapping[str, Sequence[float]]) -> list[Answer]:
    """Compare each arm with the first, seed by seed: `values` has an arm's figure at each seed."""
    (base, of_base), *others = values.items()
    return [_compare(name, figure, base, of_base, arm, of_arm) for arm, of_arm in others]


def _compare(
    name: str, figure: Figure, base: str, of_base: Sequence[float], arm: str, of_arm: Sequence[float]
) -> Answer:
    differences = [one - other for one, other in zip(of_arm, of_base, strict=True)]
    difference, low, high = interval(differences)
    decided = low > 0 or high < 0
    ours, theirs = mean(of_arm), mean(of_base)
    shown = f"{abs(difference):.3f} {figure.unit}" if figure.loss else f"{100 * abs(difference):.1f} points"
    scale, unit = (1.0, "") if figure.loss else (100.0, " %")
    places = 3 if figure.loss else 1
    pair = f"{ours * scale:.{places}f}{unit} against {theirs * scale:.{places}f}{unit}"
    ends = f"{low * scale:+.{places}f} to {high * scale:+.{places}f}"
    noise = f"95 % interval {ends}, {len(differences)} seeds"
    better = (difference < 0) == (figure.loss is not None)
    verdict = (
        f"{'better' if better else 'worse'} by {shown} ({noise})"
        if decided
        else f"undecided: the difference of {difference * scale:+.{places}f} may be chance ({noise})"
    )
    sentence = f"{arm} against {base}, {name}: {pair}, {verdict}."
    return Answer(name, arm, base, difference, low, high, decided, sentence[:1].upper() + sentence[1:])


def mean(values: Sequence[float]) -> float:
    """Average."""
    return sum(values) / len(values)


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Give mean, low and high of Student's 95 % interval for the mean of two or more values."""
    count, middle = len(values), mean(values)
    deviation = math.sqrt(sum((value - middle) ** 2 for value in values) / (count - 1))
    reach = quantile(count - 1) * deviation / math.sqrt(count)
    return middle, middle - reach, middle + reach


def quantile(freedom: int, within: float = 0.95) -> float:
    """Give the t that a Student variable stays within with this probability, by bisection of its distribution."""
    low, high = 0.0, 1e3
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < within else (low, middle)
    return high


def _within(t: float, freedom: int) -> float:
    """Give the probability of -t to t: Abramowitz and Stegun (1964), 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, odd = math.cos(angle), freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for place in range(1 + odd, freedom - 2, 2):
        term *= place / (place + 1) * cosine**2
        total += term
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total
