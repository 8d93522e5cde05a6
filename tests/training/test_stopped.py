"""A training that is stopped (SIGSTOP), or whose machine is taken away, goes on to the same bits."""

import json
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook import lock
from hornbook.testing.launching import LONGEST, launch
from hornbook.testing.runs import logged, weights_of
from hornbook.training import checkpoints
from hornbook.training.loop import Loop
from tests.training.launching import wait_for_step, write_recipe

STEPS = 400


def wait_until_stopped(process: int) -> None:
    """Wait until the system shows a process as stopped; a signal takes a moment."""
    end = time.monotonic() + LONGEST
    while Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < end, f"process {process} was never stopped"
        time.sleep(0.02)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows in /proc that a process is stopped")
def test_a_stopped_training_keeps_its_lock_and_goes_on(tmp_path: Path, story_file: Path) -> None:
    training = {"steps": STEPS, "checkpoint_every": STEPS}
    whole, stopped = (write_recipe(tmp_path, story_file, name, training=training) for name in ("one", "two"))
    assert launch(1, whole).wait().codes == [0]

    first = launch(1, stopped)
    number = first.workers[0].pid
    assert number is not None
    try:
        wait_for_step(tmp_path / "two", 5)
        os.kill(number, signal.SIGSTOP)
        wait_until_stopped(number)
        before = logged(tmp_path / "two")
        assert len(before) < STEPS, "it ended before it was stopped"
        second = launch(1, stopped).wait()
        assert second.codes == [2]
        [said] = second.told
        assert (
            f"another training is going on in this folder (process {number} on {os.uname().nodename}, "
            in said
        )
        time.sleep(2)
        assert logged(tmp_path / "two") == before
        os.kill(number, signal.SIGCONT)
        assert first.wait().codes == [0]
    finally:
        if first.workers[0].is_alive():
            os.kill(number, signal.SIGCONT)
            first.workers[0].kill()
    assert logged(tmp_path / "two") == logged(tmp_path / "one")
    there, here = (weights_of(tmp_path / name / "model") for name in ("one", "two"))
    assert there.keys() == here.keys() and all(torch.equal(there[name], here[name]) for name in there)


def be_evicted(saving: Path) -> None:
    """Get SIGTERM in step 6, and tell by a file when the save that follows is half written; it never ends."""
    takes, saves = Loop._step, checkpoints.save_file

    def take(loop: Loop, step: int, parts: Any) -> dict[str, float]:
        if step == 6:
            os.kill(os.getpid(), signal.SIGTERM)
        return takes(loop, step, parts)

    def save(weights: Any, path: Path, *more: Any) -> None:
        saves(weights, path, *more)
        if len(list(path.parent.parent.glob("step-*"))) == 1:
            os.truncate(path, path.stat().st_size // 2)
            saving.touch()
            time.sleep(10 * LONGEST)

    Loop._step = take  # type: ignore[method-assign]
    checkpoints.save_file = save  # type: ignore[assignment]


def be_quick() -> None:
    """Look for signs of life of another machine for a shorter time."""
    lock.BEAT = 0.2


@pytest.mark.slow
def test_a_run_whose_machine_is_taken_away_goes_on_on_another(tmp_path: Path, story_file: Path) -> None:
    """SIGTERM, and SIGKILL before all is saved; what is left names a machine that isn't there any more."""
    training = {"steps": 10, "checkpoint_every": 4}
    whole, evicted = (write_recipe(tmp_path, story_file, name, training=training) for name in ("one", "two"))
    assert launch(1, whole).wait().codes == [0]

    saving, run = tmp_path / "saving", tmp_path / "two"
    first = launch(1, evicted, partial(be_evicted, saving))
    end = time.monotonic() + LONGEST
    while not saving.exists():
        assert time.monotonic() < end and first.workers[0].is_alive(), "nothing was saved after SIGTERM"
        time.sleep(0.02)
    first.workers[0].kill()
    assert first.wait().codes == [-signal.SIGKILL]
    assert [path.name for path in (run / "checkpoints").glob("step-*")] == ["step-00000004"]
    [left] = run.glob("*.lock.json")
    left.write_text(json.dumps(json.loads(left.read_text("utf-8")) | {"host": "taken-away"}), "utf-8")

    ended = launch(1, evicted, be_quick).wait()
    assert ended.codes == [0] and "Going on from step 4" in ended.printed[0], ended.printed
    assert logged(run) == logged(tmp_path / "one")
    there, here = (weights_of(tmp_path / name / "model") for name in ("one", "two"))
    assert there.keys() == here.keys() and all(torch.equal(there[name], here[name]) for name in there)
