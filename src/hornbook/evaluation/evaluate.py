"""Evaluate a trained model on held-out text: all its measures, and samples of what it writes."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hornbook.errors import HornbookError
from hornbook.evaluation.measure import Heldout, Progress
from hornbook.evaluation.measures import MEASURES
from hornbook.evaluation.prompts import heldout_prompts
from hornbook.evaluation.samples import fits, sample
from hornbook.loading import LoadedModel, load_model
from hornbook.objectives import Objective, natural_objective
from hornbook.quiet import quieten_transformers
from hornbook.recipe import read_run_recipe
from hornbook.sealed import read_sealed, write_sealed
from hornbook.threads import use_threads
from hornbook.tokenizers import Rule

Outcome = dict[str, list[dict[str, Any]]]
"""`measures` (measure, value, unit, over, rule, comparable) and `samples` (kind, prompt, output)."""


def evaluate(
    loaded: LoadedModel,
    texts: Sequence[str],
    objective: Objective | None = None,
    *,
    documents: int | None = None,
    windows: int = 2000,
    prompts: Sequence[str] | None = None,
    special: Rule = "text",
    progress: Progress | None = None,
) -> Outcome:
    """Measure a model on held-out documents, and let it write samples.

    The `objective` (by default the natural one for the model's head) declares the measures. Likelihoods are over all
    documents, or `documents` of them; losses are over at most `windows` windows. Each prompt has a blank, written
    `<mask>`; by default prompts are taken from the texts, if they fit the model's length. A model whose objective can't
    write gets no prompts. The rule `special` says what special tokens are that are written out in the texts. Raises
    HornbookError if there is no text, or if model, objective and measures don't fit.
    """
    tell = progress or (lambda what, share: None)
    objective = objective or natural_objective(loaded.head)
    loaded.need(objective.head, objective.reading)
    check_directions(objective)
    problems = objective.problems(loaded.vocabulary, loaded.length)
    if problems or not any(texts):
        raise HornbookError(
            "; ".join(problems) or "there is no held-out text to evaluate on: give some documents"
        )
    end = objective.end(loaded.vocabulary)
    assert end is not None
    with TemporaryDirectory() as folder:
        store = objective.store(Path(folder) / "tokens", texts, loaded.tokenizer, end, special)
        heldout = Heldout(loaded, objective, texts, store, documents, windows)
        measures = [one for name in objective.measures for one in MEASURES.find(name).measure(heldout, tell)]
    for one in measures:
        if not math.isfinite(one["value"]):
            raise HornbookError(
                f"{loaded.folder}: its {one['measure']} is {one['value']} {one['unit']}, over {one['over']}: the model "
                "computes what is no number, so no figure of it means anything: take an earlier checkpoint"
            )
    if objective.writes is None:
        prompts = []
    elif prompts is None:
        prompts = [prompt for prompt in heldout_prompts(texts) if fits(loaded, prompt)]
    samples = []
    for number, prompt in enumerate(prompts, 1):
        samples.append(sample(loaded, prompt, objective.writes))
        tell("samples", number / len(prompts))
    return {"measures": measures, "samples": samples}


def check_directions(objective: Objective) -> None:
    """Raise HornbookError for an objective with a measure that can't read in its direction."""
    for name in objective.measures:
        if objective.reading not in (reads := MEASURES.find(name).reads):
            raise HornbookError(
                f"the objective {objective.title} reads {objective.reading}, and its measure {name} reads "
                f"{' or '.join(sorted(reads))}: declare other measures in {type(objective).__name__}"
            )


def evaluate_run(folder: Path, progress: Progress | None = None, trust: bool = False) -> Outcome:
    """Evaluate a run on its corpus's held-out part and write `evaluation.json` into its folder.

    With `trust`, code that lies in the folder may run. On a read-only disk nothing is written.
    Raises HornbookError as `load_model` and `evaluate` do, and if the held-out part has changed since the training.
    """
    quieten_transformers()
    use_threads()
    loaded = load_model(folder, trust)
    facts = read_sealed(folder / "run.json", "`hornbook train` with the run's recipe restores it")
    recipe = read_run_recipe(folder, trust, facts)
    texts = list(recipe.corpus.documents_of("heldout"))
    found = {"documents": len(texts), "bytes": _bytes(texts)}
    before = facts["corpus"]["heldout"]
    if found != {name: before[name] for name in found}:
        raise HornbookError(
            f"{folder}: its held-out part had {before['documents']:,} documents, {before['bytes']:,} bytes, "
            f"and now has {found['documents']:,}, {found['bytes']:,} bytes: bring back the old text, for "
            "figures on another one can't be compared"
        )
    special = recipe.corpus.special_tokens
    outcome = evaluate(loaded, texts, recipe.objective, special=special, progress=progress)
    if os.access(folder, os.W_OK):  # figures of a run on a read-only disk are only told
        write_sealed(folder / "evaluation.json", outcome)
    return outcome


def _bytes(texts: Sequence[str]) -> int:
    return sum(len(text.encode("utf-8")) for text in texts)
