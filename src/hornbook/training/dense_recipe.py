"""The training section of a recipe, read for a training with dense tokens."""

from collections.abc import Callable, Iterable, Mapping
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
    moved: Mapping[str, Any],
    warn: Callable[[str], None],
) -> DenseTraining:
    """Read the training section of a recipe, if there is one, with `training.b=c` settings on top.

    `dense` are the options of dense tokens. `moved` are values of flags that have become settings; `warn` is told what
    to write instead of those that aren't None. Raises HornbookError for settings of another section, and for keys that
    a training with dense tokens doesn't follow.
    """
    found: Any = read_values(recipe, "recipe", "sections, among them training") if recipe else {}
    given = {"training": found.get("training") or {}}
    if moved := {name: value for name, value in moved.items() if value is not None}:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in moved)
        instead = " ".join(f"--set training.{name}={value}" for name, value in moved.items())
        warn(f"{flags} will go away: write {instead}")
        given["training"] = given["training"] | moved
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
