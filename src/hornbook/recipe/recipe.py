"""A recipe as one typed object, checked as a whole."""

import os
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, field_validator, model_validator

from hornbook.corpora import Corpus
from hornbook.objectives import AnyObjective
from hornbook.recipe.fit import SECTIONS, misfits, resolve
from hornbook.recipe.model import Model
from hornbook.recipe.training import ResolvedPhase, Training
from hornbook.section import Section
from hornbook.tokenizers import TokenizerOptions


class Recipe(Section):
    """All options of a run: the same recipe, corpus and versions give the same model on the same machine."""

    name: str = Field(pattern=r"^[\w.-]+$", max_length=200)
    """What the run is called in tables and on pages, and its folder's name by default."""
    seed: int = Field(0, ge=0, lt=2**64)
    """The seed of all random numbers."""
    out: str = ""
    """The run's folder; runs/NAME by default."""
    cache: str = "runs/cache"
    """Where tokenizers and tokens are kept for other runs on the same corpus."""
    corpus: Corpus = Corpus()
    tokenizer: TokenizerOptions = TokenizerOptions()
    model: Model
    objective: AnyObjective
    training: Training

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, given: Any) -> Any:
        return resolve(given) if isinstance(given, dict) else given

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, name: str) -> str:
        if not name.strip("."):
            raise ValueError(f"{name} is no folder's name: choose one with a letter")
        return name

    @field_validator("out", "cache")
    @classmethod
    def _place(cls, path: str) -> str:
        """Put the home folder in place of ~, and refuse what no disk can hold."""
        if "\0" in path:
            raise ValueError("no folder's name holds a NUL character: write another one")
        try:
            return str(Path(path).expanduser()) if path.startswith("~") else path
        except RuntimeError as error:
            raise ValueError(f"{path}: nobody's home is known here: write the whole path") from error

    @model_validator(mode="after")
    def _has_its_own_folder(self) -> Self:
        """A run's folder is one of its own: not the current one or around it, and not the cache or inside it."""
        folder, cache, here = (Path(os.path.abspath(one)) for one in (self.out, self.cache, "."))
        if folder == here or folder in here.parents:
            raise ValueError(
                f"out: {self.out} is the folder you are in, or around it: name a new folder in it"
            )
        if folder == cache or cache in folder.parents:
            raise ValueError(
                f"out: {self.out} is the cache, {self.cache}, or in it: choose another name, or another folder with "
                "--set out=..."
            )
        return self

    @model_validator(mode="after")
    def _fit(self) -> "Recipe":
        if problems := self.misfits():
            raise ValueError("\n".join(problems))
        return self

    def misfits(self, run_code: bool = False) -> list[str]:
        """Say what in the sections doesn't fit each other; with `run_code`, also what a class of one's own tells."""
        return misfits({name: getattr(self, name) for name in SECTIONS}, run_code)

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return Path(self.out)

    @property
    def phases(self) -> list[ResolvedPhase]:
        """The length and batch of the steps, phase by phase; a single phase if the recipe names none."""
        return self.training.resolve_phases(self.model.length)

    def to_yaml(self) -> str:
        """Write the recipe with every default resolved, so that it can be read back and run again."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
