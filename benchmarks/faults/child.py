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

from hornbook.errors import HornbookError
from hornbook.loading import load_model
from hornbook.report import read_run
from hornbook.reporter import Reporter
from hornbook.training.callbacks import Callback, TrainingLoop
from hornbook.training.train import EvaluationAndPage, train

LONGEST = 300.0
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
    """How a child ended: done, told (in a sentence), traceback, killed or stuck."""

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


def trained(
    recipe: dict[str, Any], kill_at: int | None = None, kill_after: float | None = None, evaluate: bool = True
) -> Ended:
    """Train in a child, which kills itself at its n-th file operation, or is killed after some seconds."""
    return _forked(lambda: _train(recipe, kill_at, evaluate), kill_after)


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


def _train(recipe: dict[str, Any], kill_at: int | None, evaluate: bool) -> dict[str, Any]:
    count = 0
    ours = os.path.dirname(recipe["out"])

    def point(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event in _EVENTS and str(arguments[0]).startswith(ours):
            count += 1
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(point)
    if not evaluate:
        EvaluationAndPage.on_finish = lambda self, loop: None  # type: ignore[method-assign]
    first = _First()
    train(recipe, callbacks=[first], report=Reporter(silent=True))
    return {"first": first.step, "points": count}


def _forked(work: Callable[[], dict[str, Any]], kill_after: float | None) -> Ended:
    began = time.monotonic()
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        os.close(reading)
        try:
            facts = {"how": "done", **work()}
        except HornbookError as error:
            facts = {"how": "told", "text": str(error)}
        except BaseException:
            facts = {"how": "traceback", "text": traceback.format_exc()}
        os.write(writing, json.dumps(facts).encode()[:60_000])
        os._exit(0)
    os.close(writing)
    limit = LONGEST if kill_after is None else kill_after
    while not os.waitpid(process, os.WNOHANG)[0]:
        if time.monotonic() - began > limit:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            break
        time.sleep(0.002)
    else:
        limit = 0.0
    with os.fdopen(reading, "rb") as told:
        facts = json.loads(told.read() or b"{}")
    seconds = time.monotonic() - began
    if not facts:
        stuck = bool(limit) and kill_after is None
        return Ended("stuck" if stuck else "killed", seconds=seconds)
    return Ended(**facts, seconds=seconds)
