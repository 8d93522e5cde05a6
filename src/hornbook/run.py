"""A run, as its folder holds it: model, tokenizer, log, figures, page."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hornbook.loading import LoadedModel, load_model
from hornbook.recipe import Recipe, read_recipe


@dataclass(frozen=True)
class Run:
    """A run in its folder. Everything is read when it is first asked for."""

    folder: Path

    @cached_property
    def recipe(self) -> Recipe:
        """What was asked for, with every default worked out."""
        return read_recipe(self.folder / "recipe.yaml")

    @cached_property
    def loaded(self) -> LoadedModel:
        """The finished model, or else the newest checkpoint's, with all that Hornbook knows of it."""
        return load_model(self.folder)

    @property
    def model(self) -> PreTrainedModel:
        """Hugging Face's own model, in evaluation mode."""
        return self.loaded.model

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Its tokenizer."""
        return self.loaded.tokenizer

    @cached_property
    def log(self) -> list[dict[str, Any]]:
        """The lines of `log.jsonl`: `kind` is train, evaluate or phase."""
        lines = (self.folder / "log.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    @cached_property
    def figures(self) -> list[dict[str, Any]]:
        """What the evaluation measured: measure, value, unit, over, rule, comparable."""
        return self._evaluation["measures"]

    @cached_property
    def samples(self) -> list[dict[str, Any]]:
        """What the model wrote about held-out text: kind, prompt, output."""
        return self._evaluation["samples"]

    @property
    def page(self) -> Path:
        """The page that shows it all."""
        return self.folder / "page.html"

    @cached_property
    def _evaluation(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = json.loads(
            (self.folder / "evaluation.json").read_text("utf-8")
        )
        return found
