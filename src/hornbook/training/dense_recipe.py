"""The training section of a recipe, read for a training with dense tokens."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hornbook.errors import HornbookError
from hornbook.recipe import Training, change, read_values
from hornbook.recipe.problems import explain
from hornbook.training.dense import DenseTraining

STEPS = 200
"""Steps where nothing says how many."""


def read_dense_training(
    recipe: Path | None,
    settings: Iterable[str],
    dense: Mapping[str, Any],
    training: Mapping[str, Any] | None = None,
) -> DenseTraining:
    """Read the training section of a recipe, if there is one, with values and `training.b=c` settings on top.

    `dense` are the options of dense tokens. Raises HornbookError for settings of another section, and for keys that
    a training with dense tokens doesn't follow.
    """
    found: Any = read_values(recipe, "recipe", "sections, among them training") if recipe else {}
    given = {"training": {**(found.get("training") or {}), **(training or {})}}
    for setting in settings:
        if not setting.startswith("training."):
            raise HornbookError(
                f"--set {setting}: a training with dense tokens takes settings of the training section alone, such as "
                "--set training.steps=200"
            )
        given = change(given, setting)
    values = given["training"]
    source = str(recipe) if recipe else "training"
    if foreign := [
        name for name in values if name not in DenseTraining.model_fields and name in Training.model_fields
    ]:
        raise HornbookError(
            f"{source}: training.{foreign[0]}: a training with dense tokens doesn't follow it: leave it out"
        )
    try:
        return DenseTraining.model_validate({"steps": STEPS} | values | dict(dense))
    except ValidationError as error:
        problems = [
            line for one in error.errors() for line in explain(dict(one) | {"loc": ("training", *one["loc"])})
        ]
        raise HornbookError(f"{source}: " + "; ".join(problems)) from error
