"""What every part of a recipe has in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a recipe: typed, frozen, and closed to unknown keys.

    The options of a thing stand in the class that does the thing, so a newcomer finds both in one place; a field's
    help is the docstring under it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
