"""The check of two processes sees whether there were two."""

from pathlib import Path
from typing import Any

import pytest

from hornbook.recipe import read_recipe
from hornbook.reporter import Reporter
from hornbook.testing import processes
from hornbook.testing.case import cases
from hornbook.testing.launching import Ended
from hornbook.training.train import start


class TrainedAlone:
    """What a launcher gives whose processes don't find each other: here the second finds a finished run."""

    def __init__(self, count: int, path: Path) -> None:
        assert count == 2
        start(read_recipe(path), Reporter(silent=True)).train()

    def wait(self, *_: Any) -> Ended:
        return Ended([0, 0], ["", ""])


@pytest.mark.slow
def test_two_that_train_alone_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "launch", TrainedAlone)
    case = next(iter(cases(["gpt_neo"], ["causal"])))
    with pytest.raises(AssertionError, match=r"the run had \[1\]: each trained alone"):
        processes.two_processes(case, tmp_path)
