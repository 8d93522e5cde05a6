"""The most memory that a training takes."""

import re
from collections.abc import Callable
from pathlib import Path

import torch

from hornbook.errors import HornbookError
from hornbook.training.heap import give_back_heap

_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def check_memory() -> None:
    """Raise HornbookError where the peak of one training can't be told from an earlier one's."""
    if not (torch.cuda.is_available() or _FORGET.exists()):
        raise HornbookError(
            "peak_memory: without a GPU only Linux tells a training's peak of memory: leave it out of measures"
        )


def peak_memory(work: Callable[[], None]) -> int:
    """Do some work and return the most bytes that it took: on the GPU if there is one, else of this process."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        work()
        return int(torch.cuda.max_memory_allocated())
    check_memory()
    give_back_heap()
    _FORGET.write_text("5")  # which sets the peak to what the process has now
    work()
    found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
    assert found is not None
    return 1024 * int(found[1])
