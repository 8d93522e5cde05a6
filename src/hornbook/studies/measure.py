"""Measure one run of a study: all figures at its end, and the first figure at each checkpoint."""

import json
import shutil
from collections.abc import Mapping
from typing import Any

import torch
from pydantic import TypeAdapter

from hornbook.errors import HornbookError
from hornbook.evaluation.heldout_loss import heldout_loss
from hornbook.evaluation.probe import probe
from hornbook.evaluation.word_loss import word_loss
from hornbook.loading import LoadedModel, load_model
from hornbook.recipe import Recipe
from hornbook.reporter import Reporter
from hornbook.studies.study import Figure
from hornbook.training.prepare import PreparedRun, check_folder, prepare
from hornbook.training.record import write_json

_FILE = "study.json"
"""The file in the run's folder."""


def measured(recipe: Recipe, figures: Mapping[str, Figure]) -> dict[str, Any] | None:
    """Return what `measure` found before, or None if this run isn't measured yet.

    Raises HornbookError if the folder holds another recipe's run, or one that was measured by other figures.
    """
    check_folder(recipe)
    path = recipe.folder / _FILE
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if found["asked"] != _asked(figures):
        raise HornbookError(
            f"{recipe.folder}: this run was measured by other figures, and its checkpoints are gone: choose another "
            "folder with --out"
        )
    return found


def measure(recipe: Recipe, figures: Mapping[str, Figure]) -> dict[str, Any]:
    """Measure a finished run and write `study.json` into its folder; then delete all checkpoints but the last.

    The result's `figures` holds each figure of the finished model; `curve` holds the first figure at each checkpoint,
    with step, tokens and seconds of training. Raises HornbookError for a figure that the model doesn't allow.
    """
    runs = {name: prepare_figure(recipe, figure) for name, figure in figures.items()}
    checkpoints = sorted((recipe.folder / "checkpoints").glob("step-*"))
    trust = recipe.model.code is not None  # which has run in the training
    (first, figure), curve = next(iter(figures.items())), []
    for checkpoint in checkpoints:
        progress = json.loads((checkpoint / "progress.json").read_text("utf-8"))
        value = _value(load_model(checkpoint, trust), figure, runs[first], recipe.training.evaluate_windows)
        curve.append(progress | {"value": value})
    loaded = load_model(recipe.folder, trust)
    found = {
        "asked": _asked(figures),
        "figures": {name: _value(loaded, figure, runs[name]) for name, figure in figures.items()},
        "curve": curve,
    }
    write_json(recipe.folder / _FILE, found)
    for checkpoint in checkpoints[:-1]:
        shutil.rmtree(checkpoint)
    return found


def prepare_figure(recipe: Recipe, figure: Figure) -> PreparedRun:
    """Prepare the held-out text for a figure's objective, with the tokenizer of a run's recipe."""
    nowhere = str(recipe.folder / "figure")
    return prepare(
        recipe.model_copy(update={"objective": figure.objective, "out": nowhere}), Reporter(silent=True)
    )


def _asked(figures: Mapping[str, Figure]) -> dict[str, Any]:
    return TypeAdapter(dict[str, Figure]).dump_python(dict(figures), mode="json")


def _value(loaded: LoadedModel, figure: Figure, run: PreparedRun, windows: int = 2000) -> float:
    """Compute a figure of a model."""
    if run.tokenizer.get_vocab() != loaded.tokenizer.get_vocab():
        raise HornbookError(
            f"{loaded.name}: {figure.objective.name} as a figure would have another tokenizer than the run: name one "
            "for all with tokenizer.path"
        )
    if figure.probe is not None:
        return probe(loaded, figure.probe, run.train, run.heldout)
    if figure.words is not None:
        return word_loss(loaded, figure.words, run.heldout, windows)
    with torch.inference_mode():
        return heldout_loss(loaded, figure.objective, run.heldout, windows).nats
