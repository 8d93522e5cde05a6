"""pydantic's errors in plain words: where in the recipe, what was found, and what is allowed."""

from collections.abc import Sequence
from datetime import date
from typing import Any, get_args

from pydantic import BaseModel

from hornbook.errors import nearest
from hornbook.objectives import OBJECTIVES
from hornbook.recipe.recipe import Recipe


def explain(error: dict[str, Any], given: Any = None) -> list[str]:
    """Explain one of pydantic's errors: where in the `given` values it is, what was found, and what is allowed."""
    place = [str(part) for part in error["loc"] if part not in OBJECTIVES]
    where = whereabouts([part for part in error["loc"] if part not in OBJECTIVES], given)
    if error["type"] == "extra_forbidden":
        inside = _sections_with(place[0]) if len(place) == 1 else []
        hint = (
            f"; did you mean {inside[0]!r}?"
            if inside
            else nearest(place[-1], _keys(place[:-1], error["loc"]))
        )
        return [f"{where}: unknown key{hint}"]
    if error["type"] == "missing":
        return [f"{where}: is missing"]
    if error["type"].startswith("union_tag"):
        found = error["input"].get("name") if isinstance(error["input"], dict) else error["input"]
        return [f"{where}.name: there is no objective {found!r}{nearest(str(found), list(OBJECTIVES))}"]
    if error["type"] == "value_error":
        prefix = f"{where}: " if where else ""
        return [prefix + line for line in str(error["ctx"]["error"]).split("\n")]
    if error["type"] == "string_type" and isinstance(error["input"], bool | int | float | date):
        return [f"{where}: YAML makes {error['input']!r:.60} of it, and a text is needed: put it in quotes"]
    return [f"{where}: {error['msg'][0].lower()}{error['msg'][1:]}, not {error['input']!r:.60}"]


def whereabouts(place: Sequence[Any], given: Any = None) -> str:
    """Say where a value stands: `training.steps`, or `measures, entry 3 (blimp)` in a list, counted from 1.

    The name of an entry is taken from the `given` values, where it has one.
    """
    said = ""
    for part in place:
        inside = isinstance(given, dict | list)
        try:
            given = given[part] if inside else None
        except (KeyError, IndexError, TypeError):
            given = None
        if isinstance(part, int):
            name = given.get("name") if isinstance(given, dict) else given
            said += f", entry {part + 1}" + (f" ({name:.40})" if isinstance(name, str) else "")
        else:
            said += f"{', ' if ', entry ' in said else '.' if said else ''}{part}"
    return said


def _keys(place: list[str], loc: tuple[Any, ...]) -> list[str]:
    """List the keys that are known at a place of a recipe."""
    section: type[BaseModel] = Recipe
    for part in place:
        if part == "objective":
            section = OBJECTIVES[loc[1]]
        elif part in section.model_fields:  # else it is a number in a list
            section = _section_in(section.model_fields[part].annotation) or section
    return [field.alias or name for name, field in section.model_fields.items()]


def _sections_with(key: str) -> list[str]:
    """Name a key with the section that has it, such as `training.steps`, for who left the section out."""
    sections = {name: _section_in(field.annotation) for name, field in Recipe.model_fields.items()}
    return [f"{name}.{key}" for name, section in sections.items() if section and key in section.model_fields]


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """Find the section that an annotation such as `tuple[Phase, ...] | None` is about."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_section_in, get_args(annotation))), None)
