"""A study that is stopped has its runs saved, on each operating system."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from hornbook.errors import HornbookError, Interrupted
from hornbook.reporter import Reporter
from hornbook.training.interrupt import Signals

work = import_module("hornbook.studies.work")  # the module names its function so


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
    monkeypatch.setattr(work, "ProcessPoolExecutor", lambda number, *_: ThreadPoolExecutor(number))
    return child


def stop(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    @contextmanager
    def watch() -> Iterator[Signals]:
        signals = Signals()
        signals.received = number
        yield signals

    monkeypatch.setattr(work, "watch", watch)


@pytest.mark.parametrize(("system", "terminated"), [("linux", True), ("darwin", True), ("win32", False)])
def test_ctrl_c(system: str, terminated: bool, child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a terminated process can't save, and Ctrl-C has reached it by itself."""
    stop(monkeypatch, signal.SIGINT)
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(Interrupted):
        work._beside([lambda: 1], 1, lambda ready: None)
    assert child.terminated is terminated


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_an_error_ends_the_other_runs(system: str, child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise HornbookError("the loss is nan")

    stop(monkeypatch, 0)
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(HornbookError, match="the loss is nan"):
        work._beside([fail], 1, lambda ready: None)
    assert child.terminated


def test_what_begins_is_told_before_the_first_run_ends(caplog: pytest.LogCaptureFixture) -> None:
    """The first run may take an hour, and a log that is empty so long looks like one that hangs."""
    with caplog.at_level("INFO", "hornbook"):
        work.work([lambda: caplog.messages[:] for _ in range(3)], 1, Reporter())
    assert caplog.messages[0] == "3 runs, 1 at a time"
    assert caplog.messages[1].startswith("1 of 3 runs after ")


JOB = """
import os, time
from pathlib import Path
from hornbook.errors import Interrupted
from hornbook.training.interrupt import watch

def job(folder, number, watched):
    if not watched:  # as while a model is fine-tuned
        Path(folder, f"{number}.begun").write_text(str(os.getpid()))
        time.sleep(60)
    with watch() as signals:
        Path(folder, f"{number}.writing").write_text(str(os.getpid()))
        Path(folder, f"{number}.writing").rename(Path(folder, f"{number}.begun"))
        while not signals.received:
            time.sleep(0.05)
    Path(folder, f"{number}.saved").touch()
    raise Interrupted("saved", signals.received)
"""
"""A module of its own, as Hornbook's jobs are: the processes beside a study never run the script that began it."""

STUDY = """
import sys
from functools import partial
from job import job
from hornbook.errors import Interrupted
from hornbook.reporter import Reporter
from hornbook.studies.work import work

watched = sys.argv[2] == "watched"
try:
    work([partial(job, sys.argv[1], number, watched) for number in range(5)], 2, Reporter(silent=True))
except Interrupted as stop:
    print(stop)
"""


def write_study(folder: Path) -> Path:
    (folder / "job.py").write_text(JOB)
    script = folder / "study.py"
    script.write_text(STUDY)
    return script


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()


def wait_for(condition: Any, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL])
def test_no_run_outlives_its_study_and_none_begins_after_a_stop(number: int, tmp_path: Path) -> None:
    """Each run that had begun saves itself, also where the study itself was killed and could tell nobody."""
    script = write_study(tmp_path)
    study = subprocess.Popen([sys.executable, script, tmp_path, "watched"], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: len(list(tmp_path.glob("*.begun"))) == 2)
        runs = [int(path.read_text()) for path in tmp_path.glob("*.begun")]
        study.send_signal(number)
        wait_for(lambda: not any(map(alive, runs)), 30)
    finally:
        study.kill()
        study.wait()
    assert {path.name for path in tmp_path.glob("*.saved")} == {"0.saved", "1.saved"}
    assert not (tmp_path / "2.begun").exists()


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("watched", ["watched", pytest.param("fine-tuning", marks=pytest.mark.slow)])
def test_ctrl_c_in_a_terminal_is_told_in_one_sentence(watched: str, tmp_path: Path) -> None:
    """There the signal reaches all processes of the group at once."""
    script = write_study(tmp_path)
    command = [sys.executable, script, tmp_path, watched]
    study = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        wait_for(lambda: len([path for path in tmp_path.glob("*.begun") if path.read_text()]) == 2)
        runs = [int(path.read_text()) for path in tmp_path.glob("*.begun")]
        os.killpg(study.pid, signal.SIGINT)
        out, err = study.communicate(timeout=60)
    finally:
        study.kill()
    assert out.startswith("the study was stopped, and its runs are saved") and "Traceback" not in err
    assert not any(map(alive, runs))
