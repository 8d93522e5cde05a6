"""Measure one run of a study: all figures at its end, and the first figure at each checkpoint."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
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
from hornbook.sealed import read_sealed, write_sealed
from hornbook.studies.asked import MEMORY, AskedMeasure
from hornbook.studies.memory import peak_memory
from hornbook.studies.study import Figure
from hornbook.training.prepare import PreparedRun, prepare
from hornbook.training.resume import check_folder

_FILE = "study.json"
"""The file in the run's folder."""
_MEMORY = "memory.json"


def measured(recipe: Recipe, figures: Mapping[str, Figure]) -> dict[str, Any] | None:
    """Return what `measure` found before, or None if this run isn't measured yet by the study's own figures.

    Raises HornbookError if the folder holds another recipe's run, or one that was measured by other figures.
    """
    check_folder(recipe)
    path = recipe.folder / _FILE
    if not path.exists():
        return None
    found = read_sealed(path, "delete it, and the study measures this run again")
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
    first, curve = next(iter(figures), None), []
    for checkpoint in checkpoints:
        point = json.loads((checkpoint / "progress.json").read_text("utf-8"))
        if first is not None:
            loaded, windows = load_model(checkpoint, trust), recipe.training.evaluate_windows
            point["value"] = _value(loaded, figures[first], runs[first], windows)
        curve.append(point)
    loaded = load_model(recipe.folder, trust)
    found = {
        "asked": _asked(figures),
        "figures": {name: _value(loaded, figure, runs[name]) for name, figure in figures.items()},
        "curve": curve,
    }
    write_sealed(recipe.folder / _FILE, found)
    for checkpoint in checkpoints[:-1]:
        shutil.rmtree(checkpoint)
    return found


def ask(recipe: Recipe, found: dict[str, Any], measures: Sequence[AskedMeasure]) -> dict[str, Any]:
    """Compute those of the study's measures that a measured run doesn't have yet; keep each answer at once.

    The result's `measures` holds, for each, what was `asked` and the figures that were `found`. Raises HornbookError
    as the measures do.
    """
    before = {json.dumps(one["asked"]): one for one in found.get("measures", [])}
    loaded = None
    for one in measures:
        asked = one.model_dump(mode="json")
        if json.dumps(asked) in before:
            continue
        loaded = loaded or load_model(recipe.folder, recipe.model.code is not None)
        facts = found["curve"][-1] | {"memory": _memory(recipe) if one.name == MEMORY else None}
        before[json.dumps(asked)] = {"asked": asked, "found": one.measure(loaded, recipe, facts)}
        found = found | {"measures": list(before.values())}
        write_sealed(recipe.folder / _FILE, found)
    wanted = [json.dumps(one.model_dump(mode="json")) for one in measures]
    return found | {"measures": [before[asked] for asked in wanted]}


def keep_memory(recipe: Recipe, train: Callable[[], None]) -> None:
    """Train, and keep in the run's folder how much memory that took at most."""
    before = (recipe.folder / "model").exists()
    peak = peak_memory(train)
    if not before:
        write_sealed(recipe.folder / _MEMORY, {"bytes": peak})


def _memory(recipe: Recipe) -> int:
    path = recipe.folder / _MEMORY
    if not path.exists():
        raise HornbookError(
            f"{recipe.folder}: this run was trained before peak_memory was asked for: leave it out of measures, or "
            "choose another folder with --out"
        )
    return int(
        read_sealed(path, "leave peak_memory out of measures, or choose another folder with --out")["bytes"]
    )


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
