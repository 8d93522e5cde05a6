"""Apply settings such as `training.steps=200` to the plain values of a recipe."""

from typing import Any

import yaml

from hornbook.errors import HornbookError
from hornbook.recipe.yaml_text import parse


def change(given: dict[str, Any], setting: str) -> dict[str, Any]:
    """Return plain values with one `a.b=c` applied, c read as YAML; the original isn't changed."""
    path, equals, value = setting.partition("=")
    if not equals or not all(path.split(".")):
        raise HornbookError(
            f"--set {setting}: write it as section.key=value, such as --set training.steps=200"
        )
    if not value.strip():  # YAML makes nothing of it, such as of a shell's variable that isn't set
        raise HornbookError(
            f"--set {setting}: there is no value: write one after the =, or null for the value that counts as none"
        )
    try:
        return put(given, path, parse(value))
    except yaml.YAMLError as error:
        if isinstance(error, yaml.MarkedYAMLError) and error.context is None and error.problem:
            raise HornbookError(f"--set {setting:.80}: {error.problem}") from error
        raise HornbookError(f"--set {setting:.80}: the value is not YAML: put it in quotes") from error


def put(given: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return plain values with a value put at the key `a.b`; the original isn't changed."""
    first, _, rest = path.partition(".")
    if not rest:
        return {**given, first: value}
    inner = given.get(first)
    if first == "objective" and isinstance(inner, str):
        inner = {"name": inner}
    return {**given, first: put(inner if isinstance(inner, dict) else {}, rest, value)}
