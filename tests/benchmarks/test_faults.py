"""The attacks run, in a short form; what went wrong would be seen; and each way to damage a file damages it."""

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults import attack
from benchmarks.faults.__main__ import table
from benchmarks.faults.child import LONGEST, Ended
from benchmarks.faults.courses import Course
from benchmarks.faults.damage import WAYS, damage

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_short_form(tmp_path: Path) -> None:
    command = [*("-m", "benchmarks.faults", "--kills", "3", "--damages", "3", "--objectives", "masked")]
    done = subprocess.run(
        [sys.executable, *command, "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split("|") for line in done.stdout.splitlines()]
    assert [line[2:4] for line in lines[2:]] == [[" masked ", " 3 "], [" all ", " 3 "]] * 2
    again = subprocess.run(
        [sys.executable, *command, "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert again.stdout == done.stdout


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
