"""A recipe: the options of a run's corpus, tokenizer, objective, model and training, checked together."""

from hornbook.recipe.keywords import AnyRecipe, recipe_of
from hornbook.recipe.model import Model
from hornbook.recipe.optimization import Optimization
from hornbook.recipe.reading import (
    began,
    make_recipe,
    read_recipe,
    read_recipe_to_look,
    read_run_recipe,
    read_shipped,
    read_values,
)
from hornbook.recipe.recipe import Recipe
from hornbook.recipe.settings import change, put
from hornbook.recipe.training import Phase, ResolvedPhase, Training

__all__ = [
    "AnyRecipe",
    "Model",
    "Optimization",
    "Phase",
    "Recipe",
    "ResolvedPhase",
    "Training",
    "began",
    "change",
    "make_recipe",
    "put",
    "read_recipe",
    "read_recipe_to_look",
    "read_run_recipe",
    "read_shipped",
    "read_values",
    "recipe_of",
]
