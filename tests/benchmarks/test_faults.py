"""The attacks run, in a short form; what went wrong would be seen; and each way to damage a file damages it."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults import attack
from benchmarks.faults.__main__ import table
from benchmarks.faults.child import LONGEST, Ended
from benchmarks.faults.courses import PRESETS, Course
from benchmarks.faults.damage import WAYS, damage
from hornbook.objectives import OBJECTIVES

ROOT = Path(__file__).parents[2]


def attacked(place: Path, kills: int, damages: int, objective: str, seed: int = 0) -> list[str]:
    """Attack runs of an objective, and give what was done to each; what a clock or a path decides is left out."""
    asked = {"kills": kills, "damages": damages, "objectives": objective, "seed": seed, "out": place}
    options = [word for name, value in asked.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "benchmarks.faults", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line.split("|") for line in done.stdout.splitlines()[2:]]
    assert [[cell.strip() for cell in line[1:4]] for line in lines] == [
        [kind, name, str(count)]
        for kind, count in (("kill", kills), ("damage", damages))
        for name in (objective, "all")
    ]
    found = [json.loads(line) for line in (place / "outcomes.jsonl").read_text("utf-8").splitlines()]
    assert [one["result"] in ("same", "told") for one in found] == [True] * (kills + damages)
    return [re.sub(r"[\d.]+ s\b|\b[0-9a-f]{16}\b", "?", one["attack"]) for one in found]


@pytest.mark.long
def test_the_short_form(tmp_path: Path) -> None:
    kill, damage = attacked(tmp_path, 1, 1, "causal")
    assert "SIGKILL" in kill and "run/" in damage


@pytest.mark.slow
def test_attacks_are_drawn_by_seed(tmp_path: Path) -> None:
    first, again, other = (
        attacked(tmp_path / str(number), 3, 3, "masked", seed) for number, seed in enumerate((0, 0, 1))
    )
    assert first == again != other


def test_every_objective_is_attacked() -> None:
    assert PRESETS.keys() == set(OBJECTIVES)


def test_the_page_tells_how_long_a_child_has() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    assert re.findall(r"counts as stuck after (\d+) minutes", page) == [f"{LONGEST / 60:.0f}"]


def test_what_went_wrong_is_seen(tmp_path: Path) -> None:
    course = Course("causal", tmp_path)
    model = course.run / "model"
    model.mkdir(parents=True)
    (model / "model.safetensors").write_bytes(b"weights")
    whole = attack.Uncut(attack._weights(course.run), {}, 10, 10, 1.0)
    done = Ended("done")
    assert attack._judge(course, whole, "kill", done, 2).result == "same"
    assert attack._judge(course, whole, "kill", done, 3).result == "lost"
    assert attack._judge(course, whole, "kill", Ended("told", "no"), 0).result == "no way"
    for how in ("traceback", "stuck"):
        assert attack._judge(course, whole, "kill", Ended(how), 0).result == how
    (course.run / ".model.writing-1-ab").mkdir()
    assert attack._judge(course, whole, "kill", done, 0).result == "different"
    (model / "model.safetensors").write_bytes(b"Weights")
    one = attack._judge(course, whole, "kill", done, 0)
    assert one.result == "different" and "| 1 | 0 | 0 | 0 | 1 |" in table([one])


@pytest.mark.parametrize("way", sorted({*WAYS}))
def test_a_file_is_damaged(way: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"something" * 9)
    damage(file, way, random.Random(0))
    assert not file.exists() or file.read_bytes() != b"something" * 9
