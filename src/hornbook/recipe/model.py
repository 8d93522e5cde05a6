"""The model of a run: its preset, the length of its sequences, and what differs from the preset."""

from typing import Any

from pydantic import Field, field_validator

from hornbook.errors import HornbookError
from hornbook.families import Family, find
from hornbook.families.positions import Scheme
from hornbook.section import Section


class Model(Section):
    """Which model, and how long its sequences are."""

    preset: str
    """A known model size, such as bert-tiny: see `hornbook families`."""
    length: int = Field(128, ge=2)
    """Tokens in a sequence, special tokens included."""
    positions: Scheme | None = None
    """How the model is told where a token stands: by a `learned` table, a table of `sinusoidal` values, `rotary`
    queries and keys, distances in the scores (`alibi`), or not at all (`none`); by default as it was published."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Values that differ from the preset's, named as in the family's Hugging Face config class."""

    @field_validator("preset")
    @classmethod
    def _known(cls, preset: str) -> str:
        try:
            find(preset)
        except HornbookError as error:
            raise ValueError(str(error)) from error
        return preset

    @property
    def family(self) -> Family:
        """The family that the preset belongs to."""
        return find(self.preset)
