"""Read recipes from YAML or from plain values, apply settings to them, and report all problems at once."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hornbook.errors import HornbookError
from hornbook.recipe.fit import misfits, sound_sections
from hornbook.recipe.problems import explain
from hornbook.recipe.recipe import Recipe
from hornbook.recipe.settings import change


def read_recipe(path: Path, settings: Iterable[str] = ()) -> Recipe:
    """Read a recipe from YAML, with `a.b=c` settings on top. Raises HornbookError with all its problems."""
    return make_recipe(read_values(path, "recipe", "sections such as corpus and model"), settings, str(path))


def read_values(path: Path, kind: str, content: str) -> dict[str, Any]:
    """Read a YAML file of this kind, which must be a table of this content. Raises HornbookError if it isn't."""
    try:
        given = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise HornbookError(f"{path}: there is no such {kind}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise HornbookError(f"{path}: can't be read: {error}") from error
    except yaml.YAMLError as error:
        raise HornbookError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(given, dict):
        raise HornbookError(f"{path}: a {kind} is a table of {content}, but this is {given!r:.60}")
    return given


def read_shipped(name: str) -> dict[str, Any]:
    """Read the values of a recipe that comes with Hornbook, such as "manuals-bert"."""
    package = Path(__file__).parents[1]
    for folder in (package / "recipes", package.parents[1] / "recipes"):  # in a wheel, and in a checkout
        if (folder / f"{name}.yaml").exists():
            given: dict[str, Any] = yaml.safe_load((folder / f"{name}.yaml").read_text("utf-8"))
            return given
    raise HornbookError(f"the recipe {name} didn't come with this installation: install hornbook again")


def make_recipe(given: dict[str, Any], settings: Iterable[str] = (), source: str = "recipe") -> Recipe:
    """Make a recipe from plain values, with `a.b=c` settings on top. Raises HornbookError with all its problems."""
    for setting in settings:
        given = change(given, setting)
    try:
        return Recipe.model_validate(given)
    except ValidationError as error:
        problems = [line for one in error.errors() for line in explain(dict(one))]
        problems += [line for line in misfits(sound_sections(given)) if line not in problems]
        if len(problems) == 1:
            raise HornbookError(f"{source}: {problems[0]}") from error
        raise HornbookError(
            f"{source}: {len(problems)} problems\n" + "\n".join(f"  {line}" for line in problems)
        ) from error
