"""Every family, objective and optimizer in fp32 and in bf16: steps, an exact resume, evaluation.

Precision is forced by the recipe, so that every machine runs both: where there are no units for bf16, PyTorch emulates
them.
"""

import json
import math
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
import torch

from hornbook.evaluation.evaluate import evaluate
from hornbook.families import FAMILIES
from hornbook.loading import load_model
from hornbook.recipe import Recipe
from hornbook.reporter import Reporter
from hornbook.training import train
from tests.training.cases import model_of, objectives_of, weights_of

STEPS, MIDDLE = 3, 2
PROMPTS = ((), ("Once <mask> a time",))
"""Text to write in fp32 and in bf16: writing takes long, and other tests do it in fp32."""
OPTIMIZERS = ("adamw", "adafactor", "muon")


def every_case() -> Iterator[Any]:
    """Give every combination; those of an objective that isn't a family's first with another optimizer are slow."""
    for family in FAMILIES.values():
        for number, objective in enumerate(objectives_of(family)):
            for optimizer in OPTIMIZERS:
                marks = [pytest.mark.slow] if number and optimizer != "adamw" else []
                for dropout in (0.0, 0.1):
                    for precision in ("fp32", "bf16"):
                        name = f"{family.name}-{objective}-{optimizer}-{(dropout and 'dropout') or 'still'}-{precision}"
                        yield pytest.param(
                            model_of(family, dropout), objective, optimizer, precision, id=name, marks=marks
                        )


def run(recipe: Recipe) -> None:
    """Train in this process, without the doctor, who looks at a run before precision matters."""
    with mock.patch.object(train, "examine_contract", return_value=None):
        loop = train.start(recipe, Reporter(silent=True))
    assert loop.loss_module.bf16 == (recipe.training.precision == "bf16")
    loop.train()


@pytest.mark.parametrize(("model", "objective", "optimizer", "precision"), every_case())
def test_steps_resume_and_evaluation(
    model: dict[str, Any],
    objective: str,
    optimizer: str,
    precision: str,
    recipe_of: Callable[..., Recipe],
    stories: list[str],
) -> None:
    """A run that goes on from its middle ends with the same bits, and what it gives can be evaluated.

    The run is made to look as if it had been killed after its first checkpoint.
    """
    recipe = recipe_of(
        model,
        objective,
        optimizer=optimizer,
        precision=precision,
        steps=STEPS,
        checkpoint_every=MIDDLE,
        evaluate_every=STEPS,
        evaluate_windows=4,
        log_every=1,
        accumulate=2,
    )
    finished = recipe.folder / "model"
    run(recipe)
    ended = weights_of(finished)
    middle, last = sorted((recipe.folder / "checkpoints").iterdir())
    begun = weights_of(middle)
    shutil.rmtree(last)
    shutil.rmtree(finished)
    run(recipe)
    found = weights_of(finished)
    assert found.keys() == ended.keys()
    assert all(torch.equal(found[name], ended[name]) for name in ended)
    assert sum(not torch.equal(begun[name], ended[name]) for name in ended) > len(ended) / 2
    assert all(one.dtype == torch.float32 and one.isfinite().all() for one in ended.values())
    lines = [json.loads(line) for line in (recipe.folder / "log.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["train"] * STEPS + ["evaluate"]
    assert all(math.isfinite(line["loss"]) for line in lines)
    # Figures and samples of the finished model know nothing of optimizers: one of them is enough.
    if optimizer == "adamw":
        loaded, figures = load_model(finished), []
        for autocast in (False, True):
            with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                outcome = evaluate(
                    loaded, stories[:3], recipe.objective, windows=4, prompts=PROMPTS[autocast]
                )
            figures.append([one["value"] for one in outcome["measures"] if one["unit"] != "share"])
        assert figures[0] and all(math.isfinite(value) and value > 0 for value in figures[0])
        assert figures[1] == pytest.approx(figures[0], rel=2**-8)
