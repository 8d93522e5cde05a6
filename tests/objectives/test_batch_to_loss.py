"""How many functions somebody reads who follows a batch from the disk to the loss: docs/design.md says it."""

import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch

from hornbook import rng
from hornbook.machine import forget_kernels
from hornbook.objectives.batch_to_loss import LossModule, move
from hornbook.testing import cases
from hornbook.testing.case import LENGTH
from hornbook.training.batches import Batches
from hornbook.training.phases import PlannedPhase

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "hornbook"
ASIDE = {"rng.py", "dtypes.py", "machine.py", "families/attention.py", "families/dropout.py"}
"""Random numbers, and the replaced kernels with what they ask."""


def file_of(frame: FrameType | None) -> str | None:
    """The file of Hornbook's that a frame is in, or that called a function of a library."""
    while frame and not Path(frame.f_code.co_filename).is_relative_to(SOURCE):
        frame = frame.f_back
    return Path(frame.f_code.co_filename).relative_to(SOURCE).as_posix() if frame else None


def test_the_functions_on_the_way_are_as_many_as_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HORNBOOK_KERNELS", "own")
    case = next(cases(["bert"], ["masked"]))
    plan = case.objective.plan(case.arrays[0], LENGTH, 4, 0)
    batches = Batches(case.arrays[0], [PlannedPhase(LENGTH, plan, 4)], case.objective, case.vocabulary)
    module = LossModule(case.family, case.objective, case.model())
    callers: dict[tuple[str, str], set[str | None]] = {}

    def note(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        own = event == "call" and Path(code.co_filename).is_relative_to(SOURCE)
        if own and "<" not in code.co_qualname.rpartition(".")[2]:  # no lambda, no comprehension
            callers.setdefault((str(file_of(frame)), code.co_qualname), set()).add(file_of(frame.f_back))

    forget_kernels()
    rng._keys.cache_clear()
    sys.setprofile(note)
    try:
        module(move(batches[0][0], torch.device("cpu")))
    finally:
        sys.setprofile(None)
        forget_kernels()
    crossed = [one for one, files in callers.items() if one[0] not in ASIDE and files != {one[0]}]
    page = (ROOT / "docs" / "design.md").read_text("utf-8")
    told = [int(number) for found in re.findall(r"(\d+) functions of (\d+) files", page) for number in found]
    counted = [len(found) for one in (crossed, list(callers)) for found in (one, {file for file, _ in one})]
    # One more or less than the page says is let pass: it needn't follow every change at once.
    assert len(told) == 4 and all(abs(one - other) < 2 for one, other in zip(told, counted, strict=True)), (
        f"docs/design.md says {told}, and it is {counted}: {crossed}"
    )
