"""A disk that is full for the log or for TensorBoard's file alone: the weights are saved, and one sentence says so.

The file is replaced in mid-run by a link to /dev/full, which the system refuses to write as it does on a full disk.
"""

from pathlib import Path

import pytest
import torch

from hornbook.testing.launching import launch
from hornbook.testing.runs import logged, weights_of
from hornbook.training.checkpoints import find_checkpoint
from tests.training.launching import wait_for_step, write_recipe

FULL = Path("/dev/full")
STEPS = 400


@pytest.mark.long
@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("which", ["log.jsonl", pytest.param("trackers/**/events.*", marks=pytest.mark.slow)])
def test_what_was_learned_is_saved_where_there_is_room(which: str, tmp_path: Path, story_file: Path) -> None:
    training = {"steps": STEPS, "checkpoint_every": STEPS, "trackers": ["tensorboard"]}
    path, run = write_recipe(tmp_path, story_file, "run", training=training), tmp_path / "run"
    process = launch(1, path)
    try:
        wait_for_step(run, 5)
        [file] = [one for one in run.glob(which) if one.is_file()]
        kept = file.rename(tmp_path / "kept")
        (tmp_path / "link").symlink_to(FULL)
        (tmp_path / "link").rename(file)
        ended = process.wait()
    finally:
        process.workers[0].kill()
    assert ended.codes == [2], ended.printed
    [said] = ended.told
    assert "the disk is full" in said and said.rstrip().endswith(" is saved")
    assert "Traceback" not in ended.printed[0], ended.printed[0]
    found = find_checkpoint(run / "checkpoints", pytest.fail)
    assert found is not None and 5 <= found.progress.step < STEPS
    assert f"step {found.progress.step} is saved" in said

    kept.replace(file)  # with room again, the same command goes on
    assert launch(1, path).wait().codes == [0]
    whole = write_recipe(tmp_path, story_file, "whole", training=training)
    assert launch(1, whole).wait().codes == [0]
    there, here = (weights_of(tmp_path / name / "model") for name in ("whole", "run"))
    assert all(torch.equal(there[name], here[name]) for name in there)
    assert logged(run)[-1][1] == STEPS
