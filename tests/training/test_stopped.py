"""A training that is stopped (SIGSTOP) keeps its folder, and goes on to the same bits."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
import torch

from hornbook.testing.launching import LONGEST, launch
from hornbook.testing.runs import logged, weights_of
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
