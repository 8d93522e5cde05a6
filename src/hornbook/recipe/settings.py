"""Settings such as `training.steps=200`, laid over the plain values of a recipe."""

from typing import Any

import yaml

from hornbook.errors import HornbookError


def change(given: dict[str, Any], setting: str) -> dict[str, Any]:
    """Lay one `a.b=c` over plain values, c read as YAML; the original stays as it is."""
    path, equals, value = setting.partition("=")
    if not equals or not all(path.split(".")):
        raise HornbookError(
            f"--set {setting}: write it as section.key=value, such as --set training.steps=200"
        )
    try:
        return put(given, path, yaml.safe_load(value))
    except yaml.YAMLError as error:
        raise HornbookError(f"--set {setting}: the value is not YAML: put it in quotes") from error


def put(given: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Lay a value over plain values at the place `a.b`; the original stays as it is."""
    first, _, rest = path.partition(".")
    if not rest:
        return {**given, first: value}
    inner = given.get(first)
    if first == "objective" and isinstance(inner, str):
        inner = {"name": inner}
    return {**given, first: put(inner if isinstance(inner, dict) else {}, rest, value)}
