"""The language table, on models that take no time."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.dense_language import behind
from benchmarks.ring_stories import story


@pytest.mark.slow
def test_the_table_has_every_arm_and_goes_on(tmp_path: Path) -> None:
    draw = random.Random(0)
    text = tmp_path / "stories.txt"
    text.write_text("".join(f"{story(draw)[0]}\n" for _ in range(120)), "utf-8")
    command = [
        *(sys.executable, "-m", "benchmarks.dense_language", str(text), "--documents", "line"),
        *(
            "--steps",
            "2",
            "--before",
            "2",
            "--batch",
            "4",
            "--length",
            "16",
            "--width",
            "16",
            "--windows",
            "6",
        ),
        *(
            "--vocabulary",
            "300",
            "--seeds",
            "2",
            "--processes",
            "1",
            "--regimes",
            "--out",
            str(tmp_path / "out"),
        ),
    ]
    root = Path(__file__).parents[2]

    def told() -> tuple[list[str], list[str]]:
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
        lines = done.stdout.splitlines()
        return [line for line in lines if line.startswith("seed")], [
            line for line in lines if line.startswith("|")
        ]

    trained, first = told()
    arms = [tuple(cell.strip() for cell in line.split("|")[1:3]) for line in first[2:]]
    assert len(arms) == len(set(arms)) == 8 + 19
    assert len(trained) == 2 * len(arms)
    again, second = told()
    assert not again and second == first


def test_columns_behind_marked_words() -> None:
    marked = np.array([False, True, False])
    words = np.array([[0, 1, 2, 1], [2, 2, 2, 2], [1, 0, 1, 0]])
    assert behind(words, marked).tolist() == [[1, 4], [4, 4], [0, 2]]
