"""Read recipes from YAML or from plain values, apply settings to them, and report all problems at once."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hornbook.disk import explain as in_a_sentence
from hornbook.errors import HornbookError
from hornbook.recipe.fit import misfits, sound_sections
from hornbook.recipe.problems import explain
from hornbook.recipe.recipe import Recipe
from hornbook.recipe.settings import change
from hornbook.recipe.yaml_text import parse
from hornbook.sealed import read_sealed
from hornbook.shipped import find_file, near, shipped

_LARGEST = 10**6
"""Bytes of a recipe's file; those that come with Hornbook have a thousand."""


def read_recipe(path: Path, settings: Iterable[str] = ()) -> Recipe:
    """Read a recipe from YAML, with `a.b=c` settings on top. Raises HornbookError with all its problems."""
    return make_recipe(read_values(path, "recipe", "sections such as corpus and model"), settings, str(path))


def read_recipe_to_look(path: Path, settings: Iterable[str] = (), trust: bool = False) -> Recipe:
    """Read a recipe for a command that trains nothing: code that it names runs only with `trust`."""
    recipe = read_recipe(path, settings)
    if not trust:
        recipe.model.distrust(path)
    return recipe


def read_run_recipe(folder: Path, trust: bool = False, facts: Mapping[str, Any] | None = None) -> Recipe:
    """Read the recipe of a run: as run.json has it, which knows its own hash, or an older run's recipe.yaml.

    Code that it names runs only with `trust`. `facts` are those of run.json, where they were read before. Raises
    HornbookError where there is none, or it is damaged.
    """
    facts = facts or read_sealed(folder / "run.json", "`hornbook train` with the run's recipe restores it")
    recipe = make_recipe(began(folder, facts), source=str(folder))
    if not trust:
        recipe.model.distrust(folder)
    return recipe


def began(folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of the recipe with which a run began, of which run.json tells the `facts`."""
    return facts.get("values") or read_values(folder / "recipe.yaml", "recipe", "sections")


def read_values(path: Path, kind: str, content: str) -> dict[str, Any]:
    """Read a YAML file of this kind, which must be a table of this content, or the shipped one of this name.

    Raises HornbookError if there is none, or if it isn't such a table.
    """
    try:
        given = parse(_text(find_file(path)))
    except FileNotFoundError as error:
        raise HornbookError(f"{path}: there is no such {kind}: {near(path)}") from error
    except OSError as error:
        raise in_a_sentence(error, path) or HornbookError(f"{path}: can't be read: {error}") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise HornbookError(f"{path}: can't be read: {error}") from error
    except yaml.YAMLError as error:
        raise HornbookError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(given, dict):
        raise HornbookError(f"{path}: a {kind} is a table of {content}, but this is {given!r:.60}")
    return given


def _text(path: Path) -> str:
    """Read a small text file. Raises HornbookError for a pipe that nobody writes to, and for what is far too large."""
    if path.is_file() and path.stat().st_size > _LARGEST:
        raise HornbookError(
            f"{path}: has {path.stat().st_size:,} bytes, and a recipe has at most {_LARGEST:,}: name the recipe, not "
            "its corpus"
        )
    if path.is_fifo() and not str(path).startswith(("/dev/", "/proc/")):
        raise HornbookError(f"{path}: is a pipe, which may never end: write the recipe to a file")
    return path.read_text("utf-8")


def read_shipped(name: str) -> dict[str, Any]:
    """Read the values of a recipe that comes with Hornbook, such as "manuals-bert"."""
    if name not in shipped():
        raise HornbookError(f"the recipe {name} didn't come with this installation: install hornbook again")
    return read_values(shipped()[name], "recipe", "sections")


def make_recipe(given: dict[str, Any], settings: Iterable[str] = (), source: str = "recipe") -> Recipe:
    """Make a recipe from plain values, with `a.b=c` settings on top. Raises HornbookError with all its problems."""
    for setting in settings:
        given = change(given, setting)
    try:
        return Recipe.model_validate(given)
    except ValidationError as error:
        problems = [line for one in error.errors() for line in explain(dict(one), given)]
        problems += [line for line in misfits(sound_sections(given)) if line not in problems]
        if len(problems) == 1:
            raise HornbookError(f"{source}: {problems[0]}") from error
        raise HornbookError(
            f"{source}: {len(problems)} problems\n" + "\n".join(f"  {line}" for line in problems)
        ) from error
