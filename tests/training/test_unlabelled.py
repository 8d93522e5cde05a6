"""Texts of which an objective asks nothing: refused before a run, and in a run no loss of 0."""

from collections.abc import Callable
from typing import Any

import pytest

import hornbook
from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.recipe import Recipe
from hornbook.training import loop
from hornbook.training.log import read_log


def recipe(recipe_of: Callable[..., Recipe], rate: float, **training: Any) -> Recipe:
    model = {"preset": "bert-tiny", "length": 8, "config": find("bert-tiny").tiny}
    return recipe_of(model, {"name": "masked", "rate": rate}, batch=1, log_every=1, **training)


def test_a_run_without_labels_is_refused_with_its_cause(recipe_of: Callable[..., Recipe]) -> None:
    with pytest.raises(HornbookError, match=r"P05: no place has a label"):
        hornbook.train(recipe(recipe_of, 1e-9))


@pytest.mark.long
def test_a_step_without_labels_has_no_loss_and_changes_nothing(
    recipe_of: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[Any] = []
    monkeypatch.setattr(loop, "step_optimizers", lambda *given: taken.append(given))
    with caplog.at_level("WARNING", "hornbook"):
        run = hornbook.train(recipe(recipe_of, 0.06, steps=30, evaluate_windows=1))
    log = read_log(run.folder / "log.jsonl")
    trained = [line for line in log if line["kind"] == "train"]
    assert 0 < len(trained) == len(taken) < 30
    assert all(line["loss"] > 1 for line in log)
    warned = [one.message for one in caplog.records if "asks for nothing in its texts" in one.message]
    first = next(step for step in range(1, 31) if step not in {line["step"] for line in trained})
    assert (
        len(warned) == 2 and warned[0].startswith(f"step {first}: ") and "as in 9 steps before" in warned[1]
    )


@pytest.mark.long
def test_a_heldout_part_without_labels_has_no_figure(
    recipe_of: Callable[..., Recipe], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING", "hornbook"):
        run = hornbook.train(recipe(recipe_of, 0.02, steps=2, evaluate_windows=1))
    log = read_log(run.folder / "log.jsonl")
    assert [line for line in log if line["kind"] == "evaluate"] == []
    assert any(
        "step 2: the objective asks for nothing in the held-out texts" in one.message
        for one in caplog.records
    )
