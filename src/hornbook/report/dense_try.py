"""The page of a trial of dense tokens on somebody's own text: the verdict, figures, curves, examples."""

from pathlib import Path
from typing import Any

from hornbook.report.html import write_html
from hornbook.report.page import short
from hornbook.report.proof import percent

_TITLES = {
    "dense": "Dense",
    "pause": "Pause (equal compute)",
    "plain": "Plain (equal compute)",
    "plain, same steps": "Plain (same steps)",
}
_TOLD = {
    "dense": "with vectors",
    "pause": "the same tokens without vectors",
    "plain": "no such tokens",
    "plain, same steps": "no such tokens; the cheapest of all",
}
_LEAST_FULL = 0.1
"""The difference, in nats, from which on a word has its full colour, where none is larger."""
_OFTEN = 4.0
"""Readings of a text beyond which another one teaches clearly less than a new text does (arXiv 2305.16264)."""


def write_try(found: dict[str, Any], path: Path) -> Path:
    """Write the page of the result of `hornbook.dense.try_out`; the file is written under another name, then renamed.

    Raises HornbookError for a path that can't be written.
    """
    return write_html(
        path,
        "dense_try.html",
        "proof.js",
        ["page.css", "proof.css", "dense_try.css"],
        [percent, short, signed, strength, told],
        [chart(found)],
        found=found,
        sentences=[one.replace(" -", " −") for one in found["sentences"]],
        full=full(found),
        thing="text" if found["arms"]["dense"]["right"] is None else "question",
        titles=_TITLES,
        descriptions=_TOLD,
        worn=[arm for arm, of in found["arms"].items() if of["readings"] > _OFTEN],
    )


def chart(found: dict[str, Any]) -> dict[str, Any]:
    """Make the curves as JSON for `proof.js`: held-out nats by computed places, with the span of the seeds.

    What untrained tokens cost at first may lie above the chart: the differences at the end are far smaller.
    """
    curves = [
        {
            "number": number,
            "name": _TITLES[arm],
            "x": [point["places"] for point in points],
            **{of: [point[of] for point in points] for of in ("mean", "low", "high")},
        }
        for number, (arm, points) in enumerate(found["curves"].items())
    ]
    begun = found["curves"]["plain"][0]["high"]
    later = [point for points in found["curves"].values() for point in points[1:]]
    lowest, highest = min(one["low"] for one in later), max(begun, *(one["high"] for one in later))
    room = 0.05 * (highest - lowest)
    return {
        "id": "course",
        "kind": "lines",
        "x": "places computed in training",
        "y": found["unit"],
        "range": [lowest - room, highest + room],
        "steps": True,
        "curves": curves,
    }


def signed(value: float) -> str:
    """Format a difference with its sign."""
    return f"{value:+.3f}".replace("-", "−")


def full(found: dict[str, Any]) -> float:
    """Choose the difference from which on a word has its full colour: nine of ten words of the examples have less."""
    gaps = sorted(
        abs(piece["dense"] - piece["plain"])
        for kind in found["examples"].values()
        for one in kind
        for piece in one["pieces"]
        if piece["dense"] is not None
    )
    return max([_LEAST_FULL, *gaps[9 * len(gaps) // 10 :][:1]])


def strength(piece: dict[str, Any], full: float) -> str:
    """Give how strongly a word is coloured, 0 to 1."""
    return f"{min(1.0, abs(piece['dense'] - piece['plain']) / full):.2f}"


def told(piece: dict[str, Any]) -> str:
    """Tell what a word costs both arms."""
    gap = signed(piece["dense"] - piece["plain"])
    return f"dense {piece['dense']:.2f}, plain {piece['plain']:.2f} nats: {gap}"
