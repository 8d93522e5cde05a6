"""The HTML page of a study: the question, the answer in sentences, the curves of all seeds, and the figures."""

from pathlib import Path
from typing import Any

import yaml

from hornbook.direction import apart
from hornbook.report.duration import duration
from hornbook.report.html import write_html
from hornbook.report.page import begin, short
from hornbook.studies.answer import Values, average, show, show_p


def write_study(found: dict[str, Any], path: Path) -> Path:
    """Write the page of the result of `hornbook.studies.conduct`; the file is written under another name, then renamed.

    Raises HornbookError for a path that can't be written.
    """
    return write_html(
        path,
        "study.html",
        "page.js",
        ["page.css"],
        [begin, duration, short, show, show_p, shown, average],
        charts(found),
        study=found,
        first=next(iter(found["figures"])),
        arms=list(found["arms"].items()),
        answers={
            name: {one["arm"]: one for one in found["answers"] if one["figure"] == name}
            for name in found["figures"]
        },
        file=yaml.safe_dump(found["study"], sort_keys=False, allow_unicode=True, width=110),
    )


def shown(values: Values, unit: str) -> str:
    """Format the average of a figure."""
    middle = average(values)
    return "–" if middle is None else show(middle, unit)


def charts(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Make the only chart, as JSON for `page.js`: the first figure of every run, with one colour for each arm.

    There is none if the study has no figure of its own, but only measures of finished runs.
    """
    name, figure = next(iter(found["figures"].items()))
    axes = ("step", "tokens", "seconds", "value")
    empty: dict[str, list[float]] = {axis: [] for axis in axes}
    curves = [
        {
            "run": number,
            "name": f"{apart(arm)}, seed {seed}",
            "last": curve[-1]["value"],
            "train": empty,
            "evaluate": {axis: [point[axis] for point in curve] for axis in axes},
        }
        for number, (arm, one) in enumerate(found["arms"].items())
        for seed, curve in enumerate(one["curves"])
        if curve and "value" in curve[-1]
    ]
    if not curves:
        return []
    told = " ".join(
        f"{curve['name']}: {curve['evaluate']['value'][0]:.3f} to {curve['last']:.3f}." for curve in curves
    )
    return [{"title": name, "unit": figure["unit"], "alt": told, "curves": curves}]
