"""The training section of a recipe, in a training with dense tokens."""

from pathlib import Path

import pytest

from hornbook.errors import HornbookError
from hornbook.recipe import Training
from hornbook.training.dense import DenseTraining
from hornbook.training.dense_recipe import read_dense_training

RECIPE = """
corpus: {path: of no interest here}
training: {steps: 60, batch: 8, optimizer: adafactor, betas: [0.8, 0.99], schedule: linear, warmup: 5, floor: 0.1}
"""


def test_the_section_is_read_as_in_every_training(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    found = read_dense_training(path, ["training.weight_decay=0"], {"arm": "pause"})
    # The same section in a recipe of `hornbook train`, but for what is new, and for the usual learning rate.
    same = Training.model_validate(
        {
            "steps": 60,
            "batch": 8,
            "optimizer": "adafactor",
            "betas": [0.8, 0.99],
            "schedule": "linear",
            "warmup": 5,
            "floor": 0.1,
            "weight_decay": 0,
        }
    )
    shared = set(Training.model_fields) & set(DenseTraining.model_fields) - {"learning_rate"}
    assert {name: getattr(found, name) for name in shared} == {name: getattr(same, name) for name in shared}
    assert {"betas", "epsilon", "schedule", "warmup", "clip", "optimizer"} <= shared
    assert (found.arm, found.learning_rate) == ("pause", pytest.approx(same.learning_rate / 10))
    assert read_dense_training(None, [], {}) == DenseTraining(steps=200, learning_rate=1e-4)


def test_values_go_over_the_recipe_and_settings_over_both(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    found = read_dense_training(path, ["training.batch=4"], {}, {"steps": 30, "batch": 2})
    assert (found.steps, found.batch, found.warmup) == (30, 4, 5)


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        (
            "training.phases=[{length: 8, share: 1}]",
            "training.phases: a training with dense tokens doesn't follow",
        ),
        ("corpus.path=x", "takes settings of the training section alone"),
        ("training.shedule=linear", "training.shedule: unknown key.*schedule"),
        ("training.schedule=zigzag", "training.schedule: .*zigzag"),
        ("training.steps=0", "training.steps: .*greater than or equal to 1, not 0"),
        ("training.warmup=200", "warmup 200 leaves nothing of steps 200"),
    ],
)
def test_mistakes_are_named(setting: str, match: str) -> None:
    with pytest.raises(HornbookError, match=match):
        read_dense_training(None, [setting], {})
