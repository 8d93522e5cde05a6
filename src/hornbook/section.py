"""The base class of all parts of a recipe."""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A part of a recipe: typed, frozen, and closed to unknown keys.

    The class that does a thing also holds its options, so that both are in one place. The docstring under a field is
    its help.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        serialize_by_alias=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _no_switch_as_number(cls, given: Any) -> Any:
        """Refuse true and false for a number, of which pydantic would make 1 and 0."""
        for name, value in given.items() if isinstance(given, dict) else ():
            if (field := cls.model_fields.get(name)) is None:
                continue
            wanted, found = _types(field.annotation), value if isinstance(value, list | tuple) else [value]
            if wanted & {int, float} and bool not in wanted and any(isinstance(one, bool) for one in found):
                raise ValueError(f"{name} is {str(value).lower()}, and a number is needed")
        return given


def _types(annotation: Any) -> set[Any]:
    """List the types in an annotation such as `int | None` or `tuple[float, float]`."""
    inner = get_args(annotation)
    if inner:
        return set().union(*map(_types, inner))
    return {annotation} if isinstance(annotation, type) else set()
