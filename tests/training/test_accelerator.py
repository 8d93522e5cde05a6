"""Accelerate uses the device that the machine's choice names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState

from hornbook.errors import HornbookError
from hornbook.machine import Choice
from hornbook.recipe import Recipe, make_recipe
from hornbook.training import accelerator


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Accelerate keeps its first device for all of a process."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    given = {"name": "x", "out": str(tmp_path), "model": {"preset": "tinystories-1m", "length": 32}}
    return make_recipe(given | {"objective": "causal", "training": {"steps": 1, "trackers": []}}, [])


def test_the_processor_can_be_forced_where_there_is_a_gpu(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("HORNBOOK_DEVICE", "cpu")
    assert accelerator.make_accelerator(recipe).device == torch.device("cpu")


def test_two_that_do_not_agree_are_refused(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        accelerator, "choose_device", lambda: Choice("device", "cuda", "HORNBOOK_DEVICE is cuda")
    )
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    with pytest.raises(HornbookError, match=r"the device is cuda .*but Accelerate was told to use cpu"):
        accelerator.make_accelerator(recipe)


def test_a_batch_that_its_processes_cannot_split_is_refused(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accelerator.Accelerator, "num_processes", property(lambda _: 20))

    def asked(**training: int) -> Recipe:
        return recipe.model_copy(update={"training": recipe.training.model_copy(update=training)})

    told = r"a step has 32 sequences, but 20 processes with training.accumulate 2 need at least 40"
    with pytest.raises(HornbookError, match=told):
        accelerator.make_accelerator(asked(accumulate=2))
    for mended in ({"accumulate": 2, "batch": 40}, {"accumulate": 1}):
        accelerator.make_accelerator(asked(**mended))
