"""A training in a process of its own, forked from one that has imported everything, so that it costs no start."""

import gc
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError, Interrupted
from hornbook.loading import load_model
from hornbook.report import read_run
from hornbook.reporter import Reporter
from hornbook.training.callbacks import Callback, TrainingLoop
from hornbook.training.train import EvaluationAndPage, train

LONGEST = 1200.0
"""Seconds after which a child counts as stuck."""
_EVENTS = (
    "open",
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "shutil.move",
    "shutil.copyfile",
)


@dataclass(frozen=True)
class Ended:
    """How a child ended: done, interrupted (saved, after SIGTERM), told (in a sentence), traceback, killed or stuck."""

    how: str
    text: str = ""
    first: int = 0
    """The step from which it went on."""
    points: int = 0
    """How often it opened, renamed or removed a file of the run or the cache."""
    seconds: float = 0.0


class _First(Callback):
    """Keeps the step from which a training goes on."""

    step = 0

    def on_begin(self, loop: TrainingLoop) -> None:
        self.step = loop.progress.step


@dataclass(frozen=True)
class Blow:
    """A signal: at the n-th file operation, or after some seconds. SIGSTOP is followed by SIGCONT a second later."""

    by: signal.Signals = signal.SIGKILL
    at: int | None = None
    after: float | None = None

    def __str__(self) -> str:
        place = f"operation {self.at}" if self.at else f"{self.after:.2f} s"
        return f"{self.by.name} at {place}"


def trained(recipe: dict[str, Any], blow: Blow | None = None, evaluate: bool = True) -> Ended:
    """Train in a child, which a blow may hit."""
    return _forked(lambda: _train(recipe, blow, evaluate), blow)


def warm(recipe: dict[str, Any]) -> None:
    """Train once in this process, so that its children find everything imported and made ready."""
    train(recipe, report=Reporter(silent=True))
    if threading.active_count() > 1:
        raise RuntimeError(f"a child would inherit half of the threads {threading.enumerate()}")
    gc.collect()
    gc.freeze()  # a child's collection would else copy all pages


def looked_at(folder: Path) -> Ended:
    """Read a run and its model in a child, as `compare` and `evaluate` do."""

    def look() -> dict[str, Any]:
        read_run(folder)
        load_model(folder)
        return {}

    return _forked(look, None)


def _train(recipe: dict[str, Any], blow: Blow | None, evaluate: bool) -> dict[str, Any]:
    count = 0
    ours = os.path.dirname(recipe["out"])

    def point(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event in _EVENTS and str(arguments[0]).startswith(ours):
            count += 1
            if blow and count == blow.at:
                os.kill(os.getpid(), blow.by)

    sys.addaudithook(point)
    if not evaluate:
        EvaluationAndPage.on_finish = lambda self, loop: None  # type: ignore[method-assign]
    first = _First()
    train(recipe, callbacks=[first], report=Reporter(silent=True))
    return {"first": first.step, "points": count}


def _forked(work: Callable[[], dict[str, Any]], blow: Blow | None) -> Ended:
    began = time.monotonic()
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        os.close(reading)
        try:
            facts = {"how": "done", **work()}
        except Interrupted as error:
            facts = {"how": "interrupted", "text": str(error)}
        except HornbookError as error:
            facts = {"how": "told", "text": str(error)}
        except BaseException:
            facts = {"how": "traceback", "text": traceback.format_exc()}
        os.write(writing, json.dumps(facts).encode()[:60_000])
        os._exit(0)
    os.close(writing)
    due = blow.after if blow else None
    stuck = False
    while not os.waitpid(process, os.WNOHANG)[0]:
        spent = time.monotonic() - began
        if blow and due is not None and spent > due:
            os.kill(process, blow.by)
            due = None
            if blow.by == signal.SIGSTOP:
                time.sleep(1)
                os.kill(process, signal.SIGCONT)
        if spent > LONGEST:
            os.kill(process, signal.SIGKILL)
            stuck = True
        time.sleep(0.002)
    with os.fdopen(reading, "rb") as told:
        facts = json.loads(told.read() or b"{}")
    seconds = time.monotonic() - began
    if not facts:
        return Ended("stuck" if stuck else "killed", seconds=seconds)
    return Ended(**facts, seconds=seconds)
