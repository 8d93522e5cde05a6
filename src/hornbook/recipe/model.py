"""The model of a run: its preset, the length of its sequences, and what differs from the preset."""

from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator

from hornbook.errors import HornbookError
from hornbook.families import Family, find
from hornbook.families.custom import family_of_code
from hornbook.families.positions import Scheme
from hornbook.section import Section


class Model(Section):
    """Which model, and how long its sequences are."""

    code: str | None = None
    """A class of one's own, as my_gpt.py:MyGPT; to read a recipe doesn't run it, to train does."""
    preset: str = Field("", validate_default=True)
    """A size that people know, such as bert-tiny: see `hornbook families`. A plain module of one's own has none."""
    length: int = Field(128, ge=2, le=10**9)
    """Tokens in a sequence, special tokens included."""
    begun_from: str | None = Field(None, alias="from")
    """A trained model to begin from, in place of fresh weights: its folder, or its run's. All its weights have
    to have the same names and shapes; the tokenizer is that model's."""
    positions: Scheme | None = None
    """How the model is told where a token stands: by a `learned` table, a table of `sinusoidal` values, `rotary`
    queries and keys, distances in the scores (`alibi`, or T5's own `relative`), or not at all (`none`). By default as
    it was published; `hornbook families describe PRESET` says what else it can be."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Values that differ from the preset's, named as in the family's Hugging Face config class."""
    _untrusted: Path | None = PrivateAttr(None)
    """Where the recipe lies, if its code may not run."""

    def distrust(self, place: Path) -> None:
        """Let the file in `code` never run: the recipe was read from this place, and nobody said that it is trusted."""
        self._untrusted = place

    @field_validator("preset")
    @classmethod
    def _known(cls, preset: str, info: ValidationInfo) -> str:
        if preset or not info.data.get("code"):
            try:
                find(preset)
            except HornbookError as error:
                raise ValueError(str(error) if preset else "is missing") from error
        return preset

    @cached_property  # a file that is edited meanwhile makes no other model of this recipe
    def family(self) -> Family:
        """The family that the preset belongs to, or that of the class in `code`, whose file is then run.

        Raises HornbookError for a class that can't be had, or whose size nobody states, and where it isn't trusted.
        """
        if self.code is None:
            return find(self.preset)
        if self._untrusted is not None:
            raise HornbookError(
                f"{self._untrusted}: its recipe names code, {self.code}: read that file, and if you trust whoever "
                "wrote it, give the same command with --trust"
            )
        family = family_of_code(self.code, self.preset)
        if not self.preset and family.parent is not None:
            raise HornbookError(
                f"model.preset: is missing: {self.code} is a {family.name} model, and takes its size from one of "
                f"{', '.join(family.presets)}"
            )
        return family

    def __getstate__(self) -> dict[Any, Any]:
        """Leave the family behind: another process makes its own, for a class that was made here can't be sent."""
        state = super().__getstate__()
        return state | {"__dict__": {key: one for key, one in state["__dict__"].items() if key != "family"}}

    @property
    def size(self) -> str:
        """The preset, or where a class has none, the class itself."""
        return self.preset or next(iter(self.family.presets))
