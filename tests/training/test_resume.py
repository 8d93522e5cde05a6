"""What may change when a run goes on; a finished run is extended, and another begins from its model."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.errors import HornbookError
from hornbook.recipe import Recipe, make_recipe
from hornbook.reporter import Reporter
from hornbook.testing.runs import weights_of
from hornbook.training.callbacks import Callback, TrainingLoop
from hornbook.training.train import start
from tests.training.launching import SMALL
from tests.training.test_going_on import Listener

STEPS = {"steps": 4, "checkpoint_every": 1, "schedule": "constant", "warmup": 1, "precision": "fp32"}


@pytest.fixture
def made(recipe_of: Callable[..., Recipe]) -> Callable[..., Recipe]:
    """Give what makes the recipe of a run of four steps, with other values for sections and options of training."""

    def make(sections: dict[str, Any] | None = None, **training: Any) -> Recipe:
        given = recipe_of(SMALL, "causal", **(STEPS | training)).model_dump(mode="json")
        for name, value in (sections or {}).items():
            given[name] = {**given[name], **value} if isinstance(value, dict) else value
        return make_recipe(given)

    return make


class Stop(Callback):
    """Ends the process, as it seems, after two steps."""

    def on_save(self, loop: TrainingLoop) -> None:
        if loop.progress.step == 2:
            raise KeyboardInterrupt


def run(recipe: Recipe, *callbacks: Callback) -> Listener:
    heard = Listener()
    start(recipe, heard, callbacks=callbacks).train()
    return heard


def cut_off(recipe: Recipe) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(recipe, Stop())


def same(one: Path, other: Path) -> bool:
    first, second = weights_of(one), weights_of(other)
    return bool(first) and all(torch.equal(first[name], second[name]) for name in first | second)


@pytest.mark.long
def test_what_cannot_change_the_model_is_let_through_and_told(
    made: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made({"out": str(tmp_path / "whole")})
    run(whole)
    cut_off(made())
    text = Path(str(made().corpus.path))
    moved = tmp_path / "moved.txt"
    moved.write_bytes(text.read_bytes())
    os.utime(moved, (1, 1))
    changed = {"log_every": 3, "keep": 5, "workers": 1, "evaluate_every": 4, "trackers": ["tensorboard"]}
    clock = iter(range(10**9, 0, -86_400))  # which goes back a day whenever it is asked
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    heard = run(made({"corpus": {"path": str(moved)}, "cache": str(tmp_path / "cache")}, **changed))
    [told] = [one for one in heard.said if "goes on with changed values" in one]
    assert "training.log_every was 10 and is now 3" in told and f"corpus.path was {str(text)!r}" in told
    assert "Going on from step 2 of 4" in heard.said
    assert same(tmp_path / "run" / "model", tmp_path / "whole" / "model")


def test_accumulation_is_let_through_and_its_bits_are_told(made: Callable[..., Recipe]) -> None:
    cut_off(made())
    heard = run(made(accumulate=2))
    assert any("the bits are others from here on" in one for one in heard.said)


@pytest.mark.long
def test_all_else_is_refused_with_both_values(made: Callable[..., Recipe], tmp_path: Path) -> None:
    cut_off(made())
    with pytest.raises(HornbookError) as refused:
        run(made({"seed": 3}, learning_rate=0.5, steps=6))
    lines = str(refused.value).splitlines()
    assert lines[1:] == [
        *("  - seed: 0", "  + seed: 3", "  - training.steps: 4", "  + training.steps: 6"),
        *("  - training.learning_rate: 0.001", "  + training.learning_rate: 0.5"),
    ]
    with pytest.raises(HornbookError, match=r"finish the run first, then raise training.steps"):
        run(made(steps=6))
    other = tmp_path / "other.txt"
    other.write_text(Path(str(made().corpus.path)).read_text("utf-8").replace("a", "e", 1), "utf-8")
    with pytest.raises(HornbookError, match=r"this run began with (corpus|tokenizer)"):
        run(made({"corpus": {"path": str(other)}}))
    run(made({"out": str(tmp_path / "another")}, steps=6))  # as the sentence says


@pytest.mark.long
def test_a_finished_run_is_extended(made: Callable[..., Recipe], tmp_path: Path) -> None:
    """With a schedule that doesn't know the last step, and a warmup of its own, as if it had been longer all along."""
    run(made())
    first = weights_of(tmp_path / "run" / "model")
    heard = run(made(steps=6))
    told = next(one for one in heard.said if "extended from 4 to 6 steps" in one)
    assert "from step 5 on" in told and "goes from 0.001 to 0.001" in told
    earlier = weights_of(tmp_path / "run" / "earlier" / "step-00000004" / "model")
    assert all(torch.equal(first[name], earlier[name]) for name in first)
    run(made({"out": str(tmp_path / "longer")}, steps=6))
    assert same(tmp_path / "run" / "model", tmp_path / "longer" / "model")
    facts = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert facts["extended"] == [{"from_step": 4, "steps": 6}] and facts["steps"] == 6
    assert "trained already, all 6 steps" in run(made(steps=6)).said[-1]
    (tmp_path / "run" / "checkpoints" / "step-00000006" / "progress.json").unlink()
    with pytest.raises(
        HornbookError, match=r"can't be extended, since .*step-00000006 isn't there or isn't whole"
    ):
        run(made(steps=8))
    assert (tmp_path / "run" / "model").exists()


@pytest.mark.long
def test_a_falling_schedule_rises_where_a_run_is_extended(made: Callable[..., Recipe]) -> None:
    linear = {"schedule": "linear", "warmup": 1}
    run(made({"training": linear}))
    heard = run(made({"training": linear | {"steps": 8}}))
    # After 3 of the 3 falling steps of the shorter run, and 4 of the 7 of the longer one.
    assert any("goes from 0.000333 to 0.000571 there" in one for one in heard.said)


@pytest.mark.long
def test_another_run_begins_from_its_model(made: Callable[..., Recipe], tmp_path: Path) -> None:
    run(made())
    folder = tmp_path / "run"
    model = {"from": str(folder)}
    recipe = make_recipe(
        made({"out": str(tmp_path / "next"), "model": model, "seed": 9}).model_dump(
            mode="json", exclude={"tokenizer"}
        )
    )
    assert recipe.tokenizer.path == f"{folder}/model"
    loop = start(recipe, Reporter(silent=True))
    trained = weights_of(folder / "model")
    begun = loop.model.state_dict()
    assert all(torch.equal(one, begun[name.split()[-1]]) for name, one in trained.items())
    loop.train()
    facts = json.loads((tmp_path / "next" / "run.json").read_text("utf-8"))
    assert facts["from"]["folder"] == f"{folder}/model" and len(facts["from"]["sha256"]) == 64
    assert not same(tmp_path / "next" / "model", folder / "model")


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"model": {"config": SMALL["config"] | {"hidden_size": 8}}}, "of its weights don't fit"),
        ({"tokenizer": {"vocab_size": 400}}, "entries, this recipe's 400, and"),
        ({"model": {"from": "nowhere"}}, "there is no finished model"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(
    sections: dict[str, Any], said: str, made: Callable[..., Recipe], tmp_path: Path
) -> None:
    run(made())
    model = {"from": str(tmp_path / "run")} | sections.get("model", {})
    with pytest.raises(HornbookError, match=said):
        run(made({"out": str(tmp_path / "next"), **sections, "model": model}))
