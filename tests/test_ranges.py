"""Every number that a recipe or a study can hold has a range, finite, stated in its schema."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from hornbook.objectives import OBJECTIVES
from hornbook.recipe import Recipe
from hornbook.studies.study import Study

_WORDS = ("default", "const", "enum", "description", "title")


def numbers(schema: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Find the numbers of a JSON schema."""
    if isinstance(schema, dict):
        if schema.get("type") in ("integer", "number"):
            yield at, schema
        for key, inner in schema.items():
            if key not in _WORDS:
                yield from numbers(inner, f"{at}/{key}")
    elif isinstance(schema, list):
        for place, inner in enumerate(schema):
            yield from numbers(inner, f"{at}/{place}")


@pytest.mark.parametrize("kind", [Recipe, Study])
def test_every_number_has_a_range(kind: type[BaseModel]) -> None:
    found = dict(numbers(kind.model_json_schema()))
    assert len(found) > 3 + 10 * (kind is Recipe)
    bare = [
        at
        for at, one in found.items()
        if not (one.keys() & {"minimum", "exclusiveMinimum"} and one.keys() & {"maximum", "exclusiveMaximum"})
    ]
    assert not bare


def test_the_schema_has_every_objective() -> None:
    """The numbers of each one are among those above."""
    assert {one.__name__ for one in OBJECTIVES.values()} <= Recipe.model_json_schema()["$defs"].keys()


def test_a_number_without_a_range_is_found() -> None:
    class Bare(BaseModel):
        steps: int
        rate: float | None = None

    assert [at for at, _ in numbers(Bare.model_json_schema())] == [
        "/properties/steps",
        "/properties/rate/anyOf/0",
    ]
