"""The list of families and presets, without torch where only Hornbook's own are installed.

`python -m hornbook.presets` writes it anew, which a test asks for when the families have changed.
"""

import json
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.quiet import quieten_transformers

if TYPE_CHECKING:
    from hornbook.families.description import Description

_FILE = Path(__file__).with_suffix(".json")
_GROUPS = ("hornbook.families", "hornbook.objectives")


def presets() -> list[dict[str, Any]]:
    """List the presets: a row each, with its family, the objectives that it serves, and what was published."""
    points = [point for group in _GROUPS for point in entry_points(group=group)]
    if all(point.module.partition(".")[0] == "hornbook" for point in points):
        rows: list[dict[str, Any]] = json.loads(_FILE.read_text("utf-8"))
        return rows
    return compute()


def compute() -> list[dict[str, Any]]:
    """Make the list from the families' own declarations."""
    from hornbook.families import PRESETS
    from hornbook.objectives import served

    return [
        {
            "preset": preset,
            "family": family.name,
            "objectives": ", ".join(served(family, family.presets[preset].values)),
            "published parameters": family.presets[preset].parameters,
            "published vocabulary": family.presets[preset].vocab_size,
            "published positions": family.presets[preset].positions,
            "source": family.presets[preset].source,
        }
        for preset, family in PRESETS.items()
    ]


def describe(preset: str, vocab_size: int | None = None, length: int | None = None) -> "Description":
    """Describe a preset as `families.description.describe` does, with the objectives that can train it."""
    from hornbook.families import find
    from hornbook.families.description import describe as describe_model
    from hornbook.objectives import OBJECTIVES, served

    quieten_transformers()
    description, family = describe_model(preset, vocab_size, length), find(preset)
    names = served(family, family.presets[preset].values)
    return replace(description, objectives={name: OBJECTIVES[name].lesson for name in names})


if __name__ == "__main__":
    _FILE.write_text(json.dumps(compute(), indent=1, ensure_ascii=False) + "\n", "utf-8")
