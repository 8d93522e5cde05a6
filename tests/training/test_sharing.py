"""Processes that have a part of the model each compute what one does, and hold no more than their parts."""

import errno
import os
import re
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.recipe import make_recipe
from hornbook.testing.launching import Ended, launch
from hornbook.testing.runs import logged, weights_of
from hornbook.training.callbacks import LogFile, ProgressBar
from hornbook.training.checkpoints import find_checkpoint
from hornbook.training.loop import Loop
from hornbook.training.sharing import Shards, layers_of
from tests.training.launching import assert_as_one, counts, sharded, write_recipe
from tests.training.test_processes import assert_finished, at_work

TWO_LAYERS = {"preset": "tinystories-1m", "length": 32, "config": {"num_layers": 2}}


def tell_parts() -> None:
    """Let each process tell how many numbers of the model and of the averages it holds, and of how many."""
    takes = Loop._finish

    def finish(loop: Loop) -> None:
        assert isinstance(loop.shared, Shards)
        parts: Any = [*loop.shared.model.parameters()]
        here = sum(one.to_local().numel() for one in parts)
        states = [one["exp_avg"] for optimizer in loop.optimizers for one in optimizer.state.values()]
        averages = sum(one.to_local().numel() for one in states)
        whole = sum(one.numel() for one in loop.model.parameters())
        print(f"parts: {here} and {averages} of {sum(one.numel() for one in parts)}, and {whole}")
        takes(loop)

    Loop._finish = finish  # type: ignore[method-assign]


def parts_told(ended: Ended) -> list[list[int]]:
    """Read what `tell_parts` printed, and take it out."""
    found = []
    for rank, printed in enumerate(ended.printed):
        [told] = re.findall(r"parts: (\d+) and (\d+) of (\d+), and (\d+)\n", printed)
        found.append([int(one) for one in told])
        ended.printed[rank] = re.sub(r"parts: .*\n", "", printed)
    return found


@pytest.mark.long
@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_parts_are_as_one(processes: int, tmp_path: Path, story_file: Path) -> None:
    """With sums over micro-batches, held-out loss, and checkpoints that are those of one process."""
    training = {"batch": 9, "accumulate": 2, "evaluate_every": 3, "checkpoint_every": 2}
    one = write_recipe(tmp_path, story_file, "one", model=TWO_LAYERS, training=training)
    assert_finished(launch(1, one).wait(), tmp_path / "one")
    path = write_recipe(tmp_path, story_file, "parts", model=TWO_LAYERS, training=training | {"shard": True})
    ended = launch(processes, path, tell_parts).wait()
    held = parts_told(ended)
    assert_finished(ended, tmp_path / "parts")
    assert counts(tmp_path / "parts") == [processes] and sharded(tmp_path / "parts") == [True]
    assert sharded(tmp_path / "one") == [False]
    assert_as_one(tmp_path / "parts", tmp_path / "one")
    numbers = held[0][2]
    for weights, averages, all_of_it, whole in held:
        assert all_of_it == numbers and weights == averages < 1.2 * numbers / processes and whole == 0
    assert sum(one[0] for one in held) == numbers
    for folder in ("model", "checkpoints"):
        files = [
            sorted(str(file.relative_to(run)) for file in (run / folder).rglob("*"))
            for run in (tmp_path / "one", tmp_path / "parts")
        ]
        assert files[0] == files[1]
        expected, found = (weights_of(tmp_path / name / folder) for name in ("one", "parts"))
        assert expected.keys() == found.keys() and expected
        for name, tensor in expected.items():
            assert torch.allclose(found[name], tensor, rtol=0, atol=1e-4), name
    states = [find_checkpoint(tmp_path / name / "checkpoints", pytest.fail) for name in ("one", "parts")]
    expected, found = (one.optimizer() for one in states if one)
    assert {n: one.shape for n, one in found.items()} == {n: one.shape for n, one in expected.items()}


@pytest.mark.slow
def test_a_run_goes_on_whole_or_in_parts(tmp_path: Path, story_file: Path) -> None:
    """From 1 process to 2 and 4 with parts, to 2 with the whole model each, and back to 1."""

    def recipe(name: str, shard: bool) -> Path:
        return write_recipe(tmp_path, story_file, name, training={"steps": 60, "shard": shard})

    assert_finished(launch(1, recipe("one", False)).wait(), tmp_path / "one")
    run = tmp_path / "run"
    for count, shard in ((1, False), (2, True), (4, True), (2, False)):
        launched = at_work(count, recipe("run", shard), run)
        os.kill(launched.workers[-1].pid or 0, signal.SIGTERM)
        ended = launched.wait(30)
        assert ended.codes == [143] * count, ended.printed
        assert ended.printed[1:] == [""] * (count - 1)
        if count == 2 and shard:
            assert "training.shard was False and is now True" in ended.printed[0]
            assert "gradients are summed in another order" in ended.printed[0]
    assert_finished(launch(1, recipe("run", False)).wait(), run)
    assert counts(run) == [1, 2, 4, 2, 1] and sharded(run) == [False, True, True, False, False]
    assert_as_one(run, tmp_path / "one")


def tell_memory() -> None:
    """Let each process tell how much memory it took at most, from here to the end of its last step."""
    takes, before = Loop._step, psutil.Process().memory_info().rss

    def step(loop: Loop, number: int, parts: Any) -> dict[str, float]:
        facts = takes(loop, number, parts)
        [most] = re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
        print(
            f"memory: {int(most) - before // 1024} of {sum(one.numel() for one in loop.shared.model.parameters())}"
        )
        return facts

    Loop._step = step  # type: ignore[method-assign]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the most memory")
def test_parts_take_less_memory(tmp_path: Path, story_file: Path) -> None:
    """In steps, whose peak was 53 % of DDP's when it was first measured; a checkpoint takes more."""
    config = {"n_embd": 768, "n_layer": 6, "n_head": 12}
    model, peaks = {"preset": "distilgpt2", "length": 32, "config": config}, {}
    for shard in (False, True):
        training = {"steps": 3, "batch": 4, "checkpoint_every": 3, "log_every": 3, "evaluate_every": 3}
        path = write_recipe(
            tmp_path, story_file, str(shard), model=model, training=training | {"shard": shard}
        )
        ended = launch(2, path, tell_memory).wait(200)
        assert ended.codes == [0, 0], ended.printed
        told = [re.findall(r"memory: (\d+) of (\d+)", printed)[-1] for printed in ended.printed]
        assert {int(numbers) > 4e7 for _, numbers in told} == {True}
        peaks[shard] = max(int(most) for most, _ in told)
    print(peaks)
    assert peaks[True] < 0.65 * peaks[False]


def fill_the_disk() -> None:
    """Let the log be refused after six steps, in the one process that writes it."""
    writes = LogFile.on_log

    def write(log: LogFile, loop: Any, kind: str, facts: dict[str, Any]) -> None:
        if loop.progress.step > 6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(loop.run.folder / "log.jsonl"))
        writes(log, loop, kind, facts)

    LogFile.on_log = write  # type: ignore[method-assign]


@pytest.mark.slow
@pytest.mark.parametrize("every", [4, 40])
def test_a_full_disk_keeps_the_last_checkpoint(every: int, tmp_path: Path, story_file: Path) -> None:
    """The first process has a part of the model alone, so that it can't save the step."""
    training = {"steps": 40, "checkpoint_every": every, "shard": True}
    path = write_recipe(tmp_path, story_file, "run", training=training)
    ended = launch(2, path, fill_the_disk).wait(30)
    # Without a launcher the first process keeps the store, so that the other one speaks too.
    told = ended.told[0]
    assert ended.codes[0] == 2 and None not in ended.codes, ended.printed
    kept = "step 4 is kept" if every == 4 else "step 7 could not be saved, and none was before it"
    assert "log.jsonl" in told and told.endswith(kept)
    assert_finished(launch(2, path).wait(), tmp_path / "run")


def tell_weights() -> None:
    """Let a callback tell how many numbers the model has at each event."""

    def listen(name: str) -> Any:
        def told(bar: ProgressBar, loop: Loop, *_: Any) -> None:
            print(f"{name}: {sum(one.numel() for one in loop.model.parameters())} numbers")

        return told

    for name in ("on_begin", "on_log", "on_save", "on_end", "on_finish"):
        setattr(ProgressBar, name, listen(name))


@pytest.mark.slow
def test_callbacks_find_the_whole_model(tmp_path: Path, story_file: Path) -> None:
    path = write_recipe(tmp_path, story_file, "run", training={"steps": 2, "shard": True})
    ended = launch(2, path, tell_weights).wait()
    assert ended.codes == [0, 0], ended.printed
    told = re.findall(r"(on_\w+): (\d+) numbers", ended.printed[0])
    assert {name for name, _ in told} == {"on_begin", "on_log", "on_save", "on_end", "on_finish"}
    numbers = sum(one.numel() for one in weights_of(tmp_path / "run" / "model").values())
    assert {int(number) for _, number in told} == {numbers}


@pytest.mark.long
def test_one_process_divides_nothing_and_says_so(tmp_path: Path, story_file: Path) -> None:
    for name, shard in (("whole", False), ("alone", True)):
        path = write_recipe(tmp_path, story_file, name, training={"shard": shard})
        ended = launch(1, path).wait()
        assert ended.codes == [0] and ("training.shard has no effect" in ended.printed[0]) is shard
    assert logged(tmp_path / "whole") == logged(tmp_path / "alone")
    assert sharded(tmp_path / "alone") == [False]


@pytest.mark.parametrize("optimizer", ["muon", "adafactor"])
def test_optimizers_that_need_whole_matrices_are_refused(optimizer: str) -> None:
    values = {
        "name": "run",
        "corpus": {"path": "x.txt"},
        "model": {"preset": "tinystories-1m", "length": 16},
        "objective": "causal",
        "training": {"steps": 9, "shard": True, "optimizer": optimizer},
    }
    with pytest.raises(
        HornbookError, match=f"{optimizer} needs whole matrices, .* set training.optimizer to"
    ):
        make_recipe(values, [])
    assert make_recipe(values, ["training.optimizer=adamw"]).training.shard
    assert make_recipe(values, ["training.shard=false"]).training.optimizer == optimizer


@pytest.mark.parametrize(
    ("preset", "head", "layers"),
    [("bert-tiny", "masked", 2), ("t5-v1.1-tiny", "seq2seq", 8), ("albert-base-v2", "masked", 1)],
)
def test_layers_are_found(preset: str, head: str, layers: int) -> None:
    """T5's layers have a list of their own, which is a part of a layer; ALBERT has one layer for all."""
    family = find(preset)
    with torch.device("meta"):
        model = family.construct(family.config_class(**family.presets[preset].values), head)
    assert len(layers_of(model)) == layers
