"""The tiny models of tests/evaluation, and a table that is learned in a few steps."""

import csv
from pathlib import Path

import pytest

from tests.evaluation.conftest import make, make_tokenizer, save

__all__ = ["make", "make_tokenizer", "save", "table"]

PLACES = ("park", "house", "garden", "tree", "river", "forest", "school", "shop")


def rows(count: int, first: int = 0) -> list[dict[str, str]]:
    """Make texts whose first word says which label they have."""
    who = {"happy": "Lily", "sad": "Tom"}
    return [
        {"text": f"{who[label]} went to the {PLACES[n % 8]} {n}.", "label": label}
        for n in range(first, first + count)
        for label in [("happy", "sad")[n % 3 == 0]]
    ]


def write(path: Path, found: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]))
        writer.writeheader()
        writer.writerows(found)
    return path


@pytest.fixture
def table(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path / "mood.csv", rows(90)), write(tmp_path / "mood-test.csv", rows(30, 100))
