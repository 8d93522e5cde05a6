"""A study that is stopped has its runs saved, on each operating system."""

import multiprocessing
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest

from hornbook.errors import HornbookError, Interrupted
from hornbook.training.interrupt import Signals

conduct = import_module("hornbook.studies.conduct")  # the package names its function so


class Child:
    """A process that is at work."""

    terminated = False

    def terminate(self) -> None:
        self.terminated = True


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Child:
    """A child of this process, whose pools have threads."""
    child = Child()
    monkeypatch.setattr(multiprocessing, "active_children", lambda: [child])
    monkeypatch.setattr(conduct, "ProcessPoolExecutor", lambda number, *_: ThreadPoolExecutor(number))
    return child


def stop(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    @contextmanager
    def watch() -> Iterator[Signals]:
        signals = Signals()
        signals.received = number
        yield signals

    monkeypatch.setattr(conduct, "watch", watch)


@pytest.mark.parametrize(("system", "terminated"), [("linux", True), ("darwin", True), ("win32", False)])
def test_ctrl_c(system: str, terminated: bool, child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a terminated process can't save, and Ctrl-C has reached it by itself."""
    stop(monkeypatch, signal.SIGINT)
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(Interrupted):
        conduct._beside([lambda: 1], 1, lambda ready: None)
    assert child.terminated is terminated


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_an_error_ends_the_other_runs(system: str, child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise HornbookError("the loss is nan")

    stop(monkeypatch, 0)
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(HornbookError, match="the loss is nan"):
        conduct._beside([fail], 1, lambda ready: None)
    assert child.terminated
