"""Whose example is shown: a recipe's, with the weights that its run would begin with, or a trained model's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError
from hornbook.loading import AnyModel, LoadedModel, load, load_model
from hornbook.objectives import OBJECTIVES, Objective, natural_objective
from hornbook.recipe import Recipe, make_recipe, read_recipe_to_look
from hornbook.reporter import Reporter
from hornbook.shipped import find_file
from hornbook.training.prepare import make_model, tokenizer_and_config

Named = Recipe | Mapping[str, Any] | AnyModel


@dataclass(frozen=True)
class ExampleSource:
    """A model in evaluation mode, its tokenizer, and its objective."""

    loaded: LoadedModel
    objective: Objective
    recipe: Recipe | None = None
    """None for a folder that says nothing of its training."""
    remarks: tuple[str, ...] = ()

    @property
    def seed(self) -> int:
        """The recipe's, whose first step is shown."""
        return self.recipe.seed if self.recipe else 0


def open_source(
    named: Named,
    settings: Sequence[str],
    objective: str | Objective | None,
    report: Reporter,
    trust: bool = False,
) -> ExampleSource:
    """Open a recipe (also by its name), a run's folder, any model's folder, or a model that is open already.

    A recipe's tokenizer is trained where it isn't in the cache yet. Raises HornbookError for what isn't there or
    doesn't fit together, and for `settings` or an `objective` that don't apply. With `trust`, code that lies in the
    model's folder, or that the recipe's file names, may run.
    """
    if isinstance(named, Path | str):
        named = find_file(Path(named))
    if isinstance(named, Recipe | Mapping) or (isinstance(named, Path | str) and Path(named).is_file()):
        return _of_recipe(_recipe(named, settings, trust), objective, report)
    if settings:
        what = named if isinstance(named, Path | str) else type(named).__name__
        raise HornbookError(f"--set {settings[0]} changes a recipe, and {what} is none: leave it out")
    if not isinstance(named, LoadedModel | Path | str):
        folder = getattr(named, "folder", None)  # a run's, beside which its recipe lies
        named = folder if isinstance(folder, Path) else load(named)
    loaded = named if isinstance(named, LoadedModel) else load_model(named, trust)
    saved = None if isinstance(named, LoadedModel) else Path(named) / "recipe.yaml"
    recipe = read_recipe_to_look(saved, trust=trust) if saved and saved.is_file() else None
    remarks = (loaded.remark,) if loaded.remark else ()
    if objective:
        recipe, chosen = None, _chosen(objective, loaded)
    else:
        chosen = recipe.objective if recipe else natural_objective(loaded.head)
    loaded.need(chosen.head)
    return ExampleSource(loaded, chosen, recipe, remarks)


def _recipe(named: Any, settings: Sequence[str], trust: bool) -> Recipe:
    if isinstance(named, Recipe):
        return named
    if isinstance(named, Mapping):
        return make_recipe(dict(named), settings)
    return read_recipe_to_look(Path(named), settings, trust)


def _of_recipe(recipe: Recipe, objective: str | Objective | None, report: Reporter) -> ExampleSource:
    if objective:
        raise HornbookError(
            f"--objective: the recipe names one, {recipe.objective.name}: change it with --set objective=NAME"
        )
    tokenizer, _, config = tokenizer_and_config(recipe, report)
    model, family, length = make_model(recipe, config), recipe.model.family, recipe.model.length
    loaded = LoadedModel(
        recipe.folder, recipe.name, family, recipe.objective.head, model.eval(), tokenizer, length
    )
    return ExampleSource(loaded, recipe.objective, recipe, ("The weights are those before the first step.",))


def _chosen(name: str | Objective, loaded: LoadedModel) -> Objective:
    """Take an objective as it is, or by its name with the options that the model's head asks for."""
    if isinstance(name, Objective):
        return name
    return OBJECTIVES.find(name)(**OBJECTIVES.find(name).suited([loaded.head]))
