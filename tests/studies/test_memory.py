"""The peak of memory is that of one piece of work, not of an earlier one."""

from functools import partial

import numpy as np
import pytest
import torch

from hornbook.errors import HornbookError
from hornbook.reporter import Reporter
from hornbook.studies import memory
from hornbook.studies.work import work

MIB = 2**20

_KEPT: list[bytes] = []
of_the_process = pytest.mark.skipif(
    torch.cuda.is_available() or not memory._FORGET.exists(), reason="the peak is that of a GPU, or not told"
)


def take_and_keep(size: int) -> tuple[int, int]:
    """Leave memory behind, as libraries that a job imports and blocks that the heap keeps do."""
    peak = memory.peak_memory(lambda: _KEPT.append(b"1" * size * MIB))
    return peak, len(_KEPT)


@pytest.mark.long
@of_the_process
@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_an_earlier_run_left_is_not_in_a_later_ones_peak(processes: int) -> None:
    """Three jobs for two processes, so that one of them could be used again."""
    jobs = [partial(take_and_keep, size) for size in (400, 50, 50)[: 1 + processes]]
    (large, _), *small = found = work(jobs, processes, Reporter(silent=True), apart=True)
    assert {kept for _, kept in found} == {1} and not _KEPT
    assert all(300 * MIB < large - peak < 400 * MIB for peak, _ in small)


@of_the_process
def test_the_peak_is_that_of_the_work() -> None:
    large = memory.peak_memory(lambda: np.ones(300 * MIB, np.uint8).sum())
    small = memory.peak_memory(lambda: np.ones(100 * MIB, np.uint8).sum())
    assert 150 * MIB < large - small < 250 * MIB


def test_a_system_that_does_not_tell_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(memory, "_FORGET", memory._FORGET.with_name("nowhere"))
    with pytest.raises(HornbookError, match="only Linux tells"):
        memory.check_memory()
