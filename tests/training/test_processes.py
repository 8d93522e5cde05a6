"""Several processes that share a run compute what one does, speak with one voice, and all come to an end."""

import gc
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import distributed
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from hornbook.errors import HornbookError
from hornbook.testing.launching import Ended, Launched, launch
from hornbook.testing.runs import logged
from hornbook.training import batches, checkpoints
from hornbook.training.loop import Loop
from tests.training.launching import PRECISION, assert_as_one, counts, sharded, wait_for_step, write_recipe

pytestmark = pytest.mark.long


def assert_finished(ended: Ended, run: Path) -> None:
    """All came to the end, and the page was named once, by the process that wrote it."""
    assert ended.codes == [0] * len(ended.codes), ended.printed
    assert ended.printed[1:] == [""] * (len(ended.codes) - 1)
    assert ended.printed[0].count("The page:") == 1 and (run / "page.html").exists()
    assert (run / "model" / "model.safetensors").exists()


@pytest.fixture(scope="module")
def one_causal(tmp_path_factory: pytest.TempPathFactory, story_file: Path) -> Path:
    """A run of one process."""
    folder = tmp_path_factory.mktemp("one")
    ended = launch(1, write_recipe(folder, story_file, "one", training={"steps": 40})).wait()
    assert_finished(ended, folder / "one")
    assert counts(folder / "one") == [1]
    return folder / "one"


@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_several_processes_are_as_one(processes: int, tmp_path: Path, story_file: Path) -> None:
    """And speak with one voice, in whole runs; `hornbook.testing` asks the losses of every family."""
    recipe = {
        "model": {"preset": "tinystories-1m", "length": 32, "config": {"num_layers": 2}},
        "training": {"batch": 9, "accumulate": 2, "evaluate_every": 3},
    }
    for count in (1, processes):
        ended = launch(count, write_recipe(tmp_path, story_file, str(count), **recipe)).wait()
        assert_finished(ended, tmp_path / str(count))
        assert counts(tmp_path / str(count)) == [count]
    assert_as_one(tmp_path / str(processes), tmp_path / "1")
    one, several = (load_file(tmp_path / str(n) / "model" / "model.safetensors") for n in (1, processes))
    for name, weights in one.items():
        assert torch.allclose(several[name], weights, rtol=0, atol=1e-4), name


def slow_down() -> None:
    """Make steps long enough for a signal to arrive in the middle of a run."""
    takes = Loop._step

    def take_slowly(loop: Loop, step: int, parts: Any) -> dict[str, float]:
        time.sleep(0.04)
        return takes(loop, step, parts)

    Loop._step = take_slowly  # type: ignore[method-assign]


def at_work(count: int, path: Path, run: Path) -> Launched:
    """Start processes, and wait until they train."""
    done = max((step for _, step, _ in logged(run)), default=0)
    launched = launch(count, path, slow_down)
    wait_for_step(run, done + 3)
    return launched


def test_a_run_goes_on_with_other_numbers_of_processes(
    one_causal: Path, tmp_path: Path, story_file: Path
) -> None:
    """And SIGTERM to one process lets all save and end with the same code."""
    path, run = write_recipe(tmp_path, story_file, "several", training={"steps": 40}), tmp_path / "several"
    for count, asked in ((2, 1), (1, 0)):
        launched = at_work(count, path, run)
        os.kill(launched.workers[asked].pid or 0, signal.SIGTERM)
        ended = launched.wait(30)  # a scheduler gives no longer
        assert ended.codes == [143] * count, ended.printed  # as the README says
        [told] = ended.told
        step = logged(run)[-1][1]
        assert f"several: stopped after step {step} of 40, saved" in told
        assert ended.printed[1:] == [""] * (count - 1)
    assert_finished(launch(4, path).wait(), run)
    assert counts(run) == [2, 1, 4]
    assert_as_one(run, one_causal)


@pytest.mark.parametrize(
    ("count", "killed", "shard"),
    [
        pytest.param(count, killed, shard, marks=[pytest.mark.slow] * (shard or (count, killed) != (2, 1)))
        for shard in (False, True)
        for count, killed in ((2, 1), (2, 0), (4, 2))
    ],
)
def test_one_that_is_killed_ends_the_others_and_the_same_command_goes_on(
    count: int, killed: int, shard: bool, one_causal: Path, tmp_path: Path, story_file: Path
) -> None:
    training = {"steps": 40, "checkpoint_every": 4, "shard": shard}
    path, run = write_recipe(tmp_path, story_file, "several", training=training), tmp_path / "several"
    launched = at_work(count, path, run)
    wait_for_step(run, 5)
    victim = launched.workers[killed]
    victim.kill()
    ended = launched.wait(30)
    assert ended.codes == [-signal.SIGKILL if rank == killed else 2 for rank in range(count)], ended.printed
    [told] = ended.told
    # The store by which the processes speak lives in rank 0, where no launcher keeps it.
    named = (
        f"rank {killed} of {count} (process {victim.pid} on "
        if killed
        else "(rank 0, or the launcher) is gone"
    )
    assert named in told and "is gone" in told and "run the same command to go on" in told
    assert "Traceback" not in "".join(ended.printed)
    assert_finished(launch(count, path).wait(), run)
    assert counts(run) == [count] and sharded(run) == [shard]
    losses = [line for line in logged(run) if line[0] == "train"]
    expected = [line for line in logged(one_causal) if line[0] == "train"]
    assert [line[2] for line in losses] == pytest.approx([line[2] for line in expected], abs=PRECISION, rel=0)


def fail_to_save() -> None:
    def fail(*_: object) -> None:
        raise HornbookError("the disk is full")

    checkpoints.save_file = fail  # type: ignore[assignment]


def fail_in_rank_1() -> None:
    if os.environ["RANK"] == "1":

        def fail(*_: object) -> None:
            raise HornbookError("the corpus is gone: bring it back")

        batches.Batches.__getitem__ = fail  # type: ignore[assignment, method-assign]


def break_in_rank_1() -> None:
    if os.environ["RANK"] == "1":

        def fail(*_: object) -> None:
            raise KeyError("a fault of Hornbook's")

        batches.Batches.__getitem__ = fail  # type: ignore[assignment, method-assign]


@pytest.mark.parametrize(
    ("before", "told", "codes"),
    [
        (fail_to_save, "hornbook: the disk is full", [2, 2]),
        (fail_in_rank_1, "hornbook: rank 1 of 2: the corpus is gone: bring it back", [2, 2]),
        pytest.param(
            break_in_rank_1,
            "hornbook: rank 1 of 2: Traceback (most recent call last):",
            [2, 1],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_an_error_of_one_is_told_once_and_ends_all(
    before: Any, told: str, codes: list[int], tmp_path: Path, story_file: Path
) -> None:
    ended = launch(2, write_recipe(tmp_path, story_file, "several"), before).wait(30)
    assert ended.codes == codes and ended.told == [told], ended.printed


def test_a_mistake_of_the_recipe_is_told_once(tmp_path: Path, story_file: Path) -> None:
    ended = launch(2, write_recipe(tmp_path, story_file, "several", training={"batch": 1})).wait(30)
    assert ended.codes == [2, 2] and len(ended.told) == 1, ended.printed
    assert "a step has 1 sequences, but 2 processes" in ended.told[0]


def be_impatient() -> None:
    os.environ["HORNBOOK_PATIENCE"] = "3"


def test_too_few_are_refused_by_name(tmp_path: Path, story_file: Path) -> None:
    ended = launch(2, write_recipe(tmp_path, story_file, "several"), be_impatient, started=[0]).wait(30)
    [told] = ended.told
    assert ended.codes == [2] and "WORLD_SIZE is 2, but 1 joined within 3 seconds" in told
    assert "Traceback" not in ended.printed[0] and not (tmp_path / "several").exists()


def watch_the_end() -> None:
    """Tell, when the group is destroyed, which modules still hold it."""
    destroys = distributed.destroy_process_group

    def destroy(*arguments: Any) -> None:
        wrapped = (DistributedDataParallel, FSDPModule, DTensor)
        held = sum(isinstance(one, wrapped) for one in gc.get_objects())
        print(f"{held} wrapped modules at the end")
        destroys(*arguments)

    distributed.destroy_process_group = destroy


@pytest.mark.parametrize("shard", [False, True])
def test_no_wrapped_module_outlives_its_group(shard: bool, tmp_path: Path, story_file: Path) -> None:
    """One that does can keep its process from ever ending, in one run of six (issue 18)."""
    path = write_recipe(tmp_path, story_file, "several", training={"shard": shard})
    ended = launch(2, path, watch_the_end).wait()
    assert ended.codes == [0, 0]
    for printed in ended.printed:
        assert printed.splitlines().count("0 wrapped modules at the end") == 1
    assert counts(tmp_path / "several") == [2]
