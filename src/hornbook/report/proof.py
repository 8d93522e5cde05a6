"""The HTML page of the proof that dense tokens work, or not: a section for each of a sceptic's questions."""

from pathlib import Path
from typing import Any

from hornbook.report.duration import duration
from hornbook.report.html import write_html
from hornbook.report.page import short

_ABLATIONS = {
    "none": "as they are",
    "zero": "zero",
    "shuffle": "another question's",
    "mean": "their mean",
    "noise": "noise, same length",
}

_REASONS = {
    "every seed answers": "a seed answers fewer than 99 %",
    "every control is behind": "a control isn't clearly behind",
    "other vectors answer nothing": "other vectors answer more than pause tokens",
}


def write_proof(proof: dict[str, Any], path: Path) -> Path:
    """Write the page of the result of `hornbook.dense.prove`; the file is written under another name, then renamed.

    Raises HornbookError for a path that can't be written.
    """
    return write_html(
        path,
        "proof.html",
        "proof.js",
        ["page.css", "proof.css"],
        [percent, duration, short],
        [chart for task in proof["tasks"] for chart in charts(task, proof["arms"])],
        proof=proof,
        tasks=proof["tasks"],
        arms=proof["arms"],
        ablations=_ABLATIONS,
        reasons=_REASONS,
    )


def charts(task: dict[str, Any], arms: dict[str, Any]) -> list[dict[str, Any]]:
    """Make a task's charts as JSON for `proof.js`: lines with bands, or bars.

    Values are shares of 1. `id` names the HTML element of a chart.
    """
    name = task["name"]
    return [
        {
            "id": f"{name}-depth",
            "kind": "lines",
            "x": "steps that the question takes",
            "chance": task["chance"],
            "curves": [
                _curve(number, arms[arm]["title"], of["by_depth"]) for number, (arm, of) in _each(task)
            ],
        },
        {
            "id": f"{name}-course",
            "kind": "lines",
            "x": "steps of training",
            "steps": True,
            "chance": task["chance"],
            "curves": [
                _curve(
                    number, arms[arm]["title"], {look["step"]: _span(look["right"]) for look in of["looks"]}
                )
                for number, (arm, of) in _each(task)
            ],
        },
        {
            "id": f"{name}-beyond",
            "kind": "lines",
            "x": f"steps; trained up to {task['depth']}",
            "chance": task["chance"],
            "edge": task["depth"],
            "curves": [
                _curve(number, arms[arm]["title"], {**of["by_depth"], **of["beyond"]})
                for number, (arm, of) in _each(task)
                if arm in ("dense", "detached", "pause", "plain")
            ],
        },
        {
            "id": f"{name}-decoded",
            "kind": "bars",
            "x": "which vector of the question",
            "chance": task["chance"],
            "values": task["decoded"],
        },
    ]


def _each(task: dict[str, Any]) -> list[tuple[int, tuple[str, dict[str, Any]]]]:
    return list(enumerate(task["arms"].items()))


def _span(shares: list[float]) -> dict[str, float]:
    """Return the mean, the worst and the best of the seeds."""
    return {"mean": sum(shares) / len(shares), "low": min(shares), "high": max(shares)}


def _curve(number: int, title: str, points: dict[Any, dict[str, float]]) -> dict[str, Any]:
    """Make one arm's line with its interval; `number` chooses its colour and mark."""
    return {
        "number": number,
        "name": title,
        "x": [int(depth) for depth in points],
        "mean": [point["mean"] for point in points.values()],
        "low": [point["low"] for point in points.values()],
        "high": [point["high"] for point in points.values()],
    }


def percent(share: float) -> str:
    """Write a share as a percentage with one decimal; only exactly 1 is written as 100."""
    value = 100 * share
    return "100" if share == 1 else f"{round(min(value, 99.9) if share < 1 else value, 1) + 0.0:.1f}"
