"""A study's answer: differences between arms, with intervals over seeds, in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Protocol

from hornbook.direction import apart
from hornbook.studies.statistics import chance, holm, interval, resampled, seeds_needed

Values = Sequence[float | None]
"""A figure at each seed; None where the run failed."""


class Judged(Protocol):
    """What a figure says of itself."""

    @property
    def unit(self) -> str:
        """The unit of the values."""

    @property
    def lower(self) -> bool:
        """Whether lower values are better."""


@dataclass(frozen=True)
class Answer:
    """How an arm differs from another one in a figure, over the seeds that both have."""

    figure: str
    arm: str
    base: str
    difference: float
    """The mean over seeds of the arm's value minus the other's."""
    low: float
    """The lower end of its 95 % interval."""
    high: float
    resampled: tuple[float, float]
    """Both ends of the bootstrap's interval; of few seeds it is too narrow."""
    p: float
    """The p-value of the paired t-test, adjusted by Holm for all arms that are compared in this figure."""
    seeds: int
    """How many seeds both arms have."""
    needed: int | None
    """How many seeds would show such a difference four times in five; None is over 1,000."""
    decided: bool
    """Whether that p-value is below 5 %; if there is one comparison, the interval then excludes 0."""
    sentence: str


def answer(
    name: str, figure: Judged, values: Mapping[str, Values], compared: Mapping[str, str] | None = None
) -> list[Answer]:
    """Compare each arm with the first, paired by seed; `values` holds each arm's figure at each seed.

    `compared` names the arms to compare instead, each with its other one. Where two arms share less than two seeds,
    they are left out.
    """
    first, *others = values
    found = []
    for arm, base in (dict.fromkeys(others, first) if compared is None else compared).items():
        both = [
            (one, other) for one, other in zip(values[arm], values[base], strict=True) if _are(one, other)
        ]
        if len(both) > 1:
            found.append(_compare(name, base, arm, both))  # type: ignore[arg-type]
    told = []
    for one, p in zip(found, holm([one.p for one in found]), strict=True):
        judged = replace(one, p=p, decided=p < 0.05)
        pairs = [
            (ours, theirs)
            for ours, theirs in zip(values[one.arm], values[one.base], strict=True)
            if _are(ours, theirs)
        ]
        ours, theirs = (fmean(side) for side in zip(*pairs, strict=True))
        told.append(replace(judged, sentence=_sentence(judged, figure, ours, theirs, len(found))))
    return told


def _are(*values: float | None) -> bool:
    return None not in values


def _compare(name: str, base: str, arm: str, both: Sequence[tuple[float, float]]) -> Answer:
    differences = [one - other for one, other in both]
    difference, low, high = interval(differences)
    p, again, needed = chance(differences), resampled(differences), seeds_needed(differences)
    return Answer(name, arm, base, difference, low, high, again, p, len(differences), needed, False, "")


def _sentence(told: Answer, figure: Judged, ours: float, theirs: float, comparisons: int) -> str:
    unit = figure.unit
    noise = f"95 % interval {show(told.low, unit, True)} to {show(told.high, unit, True)}, {told.seeds} seeds"
    if comparisons > 1:
        noise += f"; p {show_p(told.p)} after Holm’s correction for {comparisons} comparisons"
    sign, by = (" %", "points") if unit in SHARES else ("", unit)
    needed = f"about {told.needed:,}" if told.needed else "over 1,000"
    better = "better" if (told.difference < 0) == figure.lower else "worse"
    verdict = (
        f"{better} by {show(abs(told.difference), unit)} {by} ({noise})"
        if told.decided
        else f"undecided, for the difference of {show(told.difference, unit, True)} may be chance ({noise}); a true "
        f"difference of that size would take {needed} seeds"
    )
    arm, base = apart(told.arm), apart(told.base)
    name = told.figure.replace("_", " ")  # of a measure, such as tokens_per_second
    sentence = f"{name}: {show(ours, unit)}{sign} ({arm}) against {show(theirs, unit)}{sign} ({base})"
    return f"{sentence[:1].upper()}{sentence[1:]}, {verdict}."


def uneven(seconds: Mapping[str, Values], most: float = 1.1) -> list[str]:
    """Return a remark if the arms' average training times, which should be equal, differ by more than a tenth."""
    means = {arm: mean(of_arm) for arm, of_arm in seconds.items() if any(of_arm)}
    if max(means.values()) <= most * min(means.values()):
        return []
    told = ", ".join(f"{apart(arm)} {taken:.0f} s" for arm, taken in means.items())
    because = (
        "the machine had other work, or steps became slower; on a quiet one, begin again with another --out"
    )
    return [f"The times of training aren’t equal after all ({told}): {because}."]


def unequal_size(parameters: Mapping[str, int], most: float = 1.02) -> list[str]:
    """Return a remark if the arms' numbers of parameters differ by more than 2 %."""
    if max(parameters.values()) <= most * min(parameters.values()):
        return []
    told = ", ".join(f"{apart(arm)} {count:,}" for arm, count in parameters.items())
    because = "a larger model may be better for its size alone; model.config in an arm makes them equal"
    return [f"The arms’ parameters differ by more than 2 % ({told}): {because}."]


def mean(values: Values) -> float:
    """Average the values of the runs that didn't fail."""
    return fmean(value for value in values if value is not None)


def average(values: Values) -> float | None:
    """Average the values of the runs that didn't fail; None if all did."""
    return mean(values) if any(value is not None for value in values) else None


SHARES = ("share of pairs", "%", "% right")
"""Units that are shown in per cent."""


def show(value: float, unit: str, sign: bool = False) -> str:
    """Format a figure by its unit: a share in per cent, large numbers without decimals, others with 3."""
    places = ".1f" if unit in SHARES else ",.0f" if unit in ("tokens/s", "MiB") else ".3f"
    shown = 100 * value if unit == "share of pairs" else value
    return f"{shown:{'+' if sign else ''}{places}}".replace("-", "−")


def show_p(p: float) -> str:
    """Format a p-value."""
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"
