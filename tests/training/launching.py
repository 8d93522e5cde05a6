"""Recipes of tiny runs that several processes share, and what became of them."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from hornbook.testing.launching import LONGEST
from hornbook.testing.runs import logged

PRECISION = 2e-6
"""How far a loss of several processes may be from one process's, in nats: the order of sums differs. It is the
precision that the README states."""

SMALL = {
    "preset": "tinystories-1m",
    "length": 16,
    "config": {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "attention_types": [[["global"], 1]]},
}


def write_recipe(folder: Path, story_file: Path, name: str, **changes: Any) -> Path:
    """Write the recipe of a tiny run; `training` is added to, all else replaced."""
    given = {
        "name": name,
        "out": str(folder / name),
        "cache": str(folder / "cache"),
        "corpus": {"path": str(story_file), "documents": "line", "heldout_fraction": 0.1},
        "tokenizer": {"vocab_size": 512},
        "model": SMALL,
        "objective": "causal",
        **changes,
        "training": {
            "steps": 6,
            "batch": 7,
            "log_every": 1,
            "precision": "fp32",
            "evaluate_windows": 24,
            "trackers": [],
        }
        | changes.get("training", {}),
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(given), "utf-8")
    return path


def wait_for_step(run: Path, step: int, longest: float = LONGEST) -> None:
    """Wait until a step is logged."""
    end = time.monotonic() + longest
    while not any(done >= step for _, done, _ in logged(run)):
        assert time.monotonic() < end, f"{run}: step {step} was never reached"
        time.sleep(0.02)


def counts(run: Path) -> list[int]:
    """Read how many processes took the run's steps, one number for each change."""
    facts = json.loads((run / "run.json").read_text("utf-8"))
    assert facts["machine"]["processes"] == facts["processes"][-1]["processes"]
    return [one["processes"] for one in facts["processes"]]


def sharded(run: Path) -> list[bool]:
    """Read whether each process had a part of the model alone, one answer for each change."""
    facts = json.loads((run / "run.json").read_text("utf-8"))
    return [one.get("sharded", False) for one in facts["processes"]]


def assert_as_one(run: Path, one: Path, precision: float = PRECISION) -> None:
    """The log of several processes has the lines and losses of one process's."""
    expected, found = logged(one), logged(run)
    assert [line[:2] for line in found] == [line[:2] for line in expected] and found
    assert [line[2] for line in found] == pytest.approx([line[2] for line in expected], abs=precision, rel=0)
