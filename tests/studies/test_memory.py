"""The peak of memory is that of one piece of work, not of an earlier one."""

import numpy as np
import pytest
import torch

from hornbook.errors import HornbookError
from hornbook.studies import memory

MIB = 2**20


@pytest.mark.skipif(
    torch.cuda.is_available() or not memory._FORGET.exists(), reason="the peak is that of a GPU, or not told"
)
def test_the_peak_is_that_of_the_work() -> None:
    large = memory.peak_memory(lambda: np.ones(300 * MIB, np.uint8).sum())
    small = memory.peak_memory(lambda: np.ones(100 * MIB, np.uint8).sum())
    assert 150 * MIB < large - small < 250 * MIB


def test_a_system_that_does_not_tell_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(memory, "_FORGET", memory._FORGET.with_name("nowhere"))
    with pytest.raises(HornbookError, match="only Linux tells"):
        memory.check_memory()
