"""A study's answer on one HTML page: the question, what came of it in sentences, all seeds' curves, the figures."""

from pathlib import Path
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

import hornbook
from hornbook.atomic import beside
from hornbook.errors import HornbookError
from hornbook.report.page import begin, duration, short
from hornbook.report.whole import packaged, packed_plotly, policy
from hornbook.study.answer import show


def write_study(found: dict[str, Any], path: Path) -> Path:
    """Write the page of what `hornbook.study.conduct` found; the file is written beside and renamed.

    Raises HornbookError for a path that can't be written.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"begin": begin, "duration": duration, "short": short, "show": show}
    script = packaged("load.js", "page.js").strip()
    html = environment.from_string(packaged("study.html")).render(
        study=found,
        arms=list(found["arms"].items()),
        answers={
            name: {one["arm"]: one for one in found["answers"] if one["figure"] == name}
            for name in found["figures"]
        },
        charts=charts(found),
        file=yaml.safe_dump(found["study"], sort_keys=False, allow_unicode=True, width=110),
        version=hornbook.__version__,
        style=Markup(packaged("page.css")),
        script=Markup(script),
        plotly=Markup(packed_plotly()[0]),
        policy=policy(script),
    )
    try:
        with beside(path) as file:
            file.write_text(html, encoding="utf-8")
    except OSError as error:
        raise HornbookError(
            f"the page can't be written to {path}: {error.strerror}; give another path"
        ) from None
    return path


def charts(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the one chart as JSON for `page.js`: the first figure of every run, an arm's in one colour."""
    name, figure = next(iter(found["figures"].items()))
    axes = ("step", "tokens", "seconds", "value")
    empty: dict[str, list[float]] = {axis: [] for axis in axes}
    curves = [
        {
            "run": number,
            "name": f"{arm}, seed {seed}",
            "last": curve[-1]["value"],
            "train": empty,
            "evaluate": {axis: [point[axis] for point in curve] for axis in axes},
        }
        for number, (arm, one) in enumerate(found["arms"].items())
        for seed, curve in enumerate(one["curves"])
    ]
    told = " ".join(
        f"{curve['name']}: {curve['evaluate']['value'][0]:.3f} to {curve['last']:.3f}." for curve in curves
    )
    return [{"title": name, "unit": figure["unit"], "alt": told, "curves": curves}]
