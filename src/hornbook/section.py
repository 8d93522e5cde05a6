"""The base class of all parts of a recipe."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a recipe: typed, frozen, and closed to unknown keys.

    The class that does a thing also holds its options, so that both are in one place. The docstring under a field is
    its help.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
