"""The page's learning curves: one chart for each set of runs whose figures compare."""

from collections.abc import Sequence
from itertools import chain
from math import ceil, isfinite
from typing import Any

from hornbook.direction import apart
from hornbook.report.comparison import BITS, NATS, Scope, distinguish, labels, objective_of, scope
from hornbook.report.runs import EvaluatePoint, RunRecord, TrainPoint

AXES = ("step", "tokens", "seconds")
POINTS = 2000
"""More points than this in a curve can't be told apart on a screen."""


def charts(runs: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Make the charts in the order of the page, as JSON for `page.js`: bits per byte first, then losses.

    A chart has a `title`, its scope `within` (if a title has several charts), a `unit`, an `alt` text and `curves`. A
    curve has the index of its `run`, the run's `name`, the `last` evaluated value, and `train` and `evaluate`. These
    two map "step", "tokens", "seconds" and "value" to lists of the same length, with null for what isn't finite.
    """
    return _charts(runs, "bits_per_byte", BITS) + _charts(runs, "loss", NATS)


def _charts(runs: Sequence[RunRecord], value: str, unit: str) -> list[dict[str, Any]]:
    titles: dict[str, dict[Scope, list[dict[str, Any]]]] = {}
    for index, (run, name) in enumerate(zip(runs, labels(runs), strict=True)):
        evaluated = [point for point in run.evaluate if getattr(point, value) is not None]
        trained = thin(run.train) if value == "loss" else []
        if evaluated or trained:
            title = f"{apart(objective_of(run))} loss" if value == "loss" else "bits per byte"
            titles.setdefault(title, {}).setdefault(scope(run, unit), []).append(
                {
                    "run": index,
                    "name": apart(name),
                    "last": getattr(evaluated[-1], value) if evaluated else None,
                    "train": _lists(trained, value),
                    "evaluate": _lists(evaluated, value),
                }
            )
    return [
        {
            "title": title,
            "within": words,
            "unit": unit,
            "alt": " ".join(_told(title, unit, curve) for curve in scopes[within]),
            "curves": scopes[within],
        }
        for title, scopes in titles.items()
        for within, words in distinguish(list(scopes)).items()
    ]


def thin(points: Sequence[TrainPoint], most: int = POINTS) -> list[TrainPoint]:
    """Keep at most `most` points: the lowest and the highest loss of each stretch, so that spikes stay."""
    if len(points) <= most:
        return list(points)
    width = ceil(2 * len(points) / most)
    stretches = (points[start : start + width] for start in range(0, len(points), width))
    extremes = ({min(s, key=_loss), max(s, key=_loss)} for s in stretches)
    return sorted(chain.from_iterable(extremes), key=lambda point: point.step)


def _loss(point: TrainPoint) -> float:
    return point.loss if isfinite(point.loss) else float("inf")


def _lists(points: Sequence[TrainPoint | EvaluatePoint], value: str) -> dict[str, list[float | None]]:
    lists: dict[str, list[float | None]] = {axis: [getattr(point, axis) for point in points] for axis in AXES}
    values = [getattr(point, value) for point in points]
    return lists | {"value": [v if isfinite(v) else None for v in values]}


def _told(title: str, unit: str, curve: dict[str, Any]) -> str:
    points = curve["evaluate"] if curve["evaluate"]["value"] else curve["train"]
    part = "held-out" if points is curve["evaluate"] else "training"
    first, last = (
        f"{v:.3f}" if v is not None else "not a number" for v in (points["value"][0], points["value"][-1])
    )
    steps = f"from step {points['step'][0]:,} to step {points['step'][-1]:,}"
    return f"{title[0].upper()}{title[1:]} ({part}) of {curve['name']}: {first} to {last} {unit}, {steps}."
