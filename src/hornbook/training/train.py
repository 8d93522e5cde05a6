"""A recipe's run from beginning to end: prepare, train, evaluate, write the page."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from hornbook.atomic import beside, check_new
from hornbook.console import reporter
from hornbook.contract import check_run
from hornbook.disk import in_words
from hornbook.errors import Damaged, HornbookError
from hornbook.evaluation.evaluate import evaluate_run
from hornbook.families.unused_positions import unused_positions
from hornbook.machine import Choice, choose, cores
from hornbook.quiet import quieten_transformers
from hornbook.recipe import AnyRecipe, Recipe, recipe_of
from hornbook.report import read_run, write_page
from hornbook.report.card import write_card
from hornbook.reporter import Reporter
from hornbook.run import Run
from hornbook.sealed import read_sealed, write_sealed
from hornbook.threads import use_free_threads, use_threads
from hornbook.tokenizers.record import save_record
from hornbook.training.accelerator import make_accelerator
from hornbook.training.alone import alone_in
from hornbook.training.callbacks import Callback, LogFile, ProgressBar, Trackers, TrainingLoop
from hornbook.training.heap import keep_heap
from hornbook.training.live_page import LivePage
from hornbook.training.loop import Loop
from hornbook.training.memory import check_memory
from hornbook.training.prepare import make_model, prepare, tokenizer_and_config
from hornbook.training.processes import Processes
from hornbook.training.record import began_with, record, shared_by
from hornbook.training.resume import check_folder
from hornbook.training.standstill import Standstill
from hornbook.training.tokenizer import record_of


def train(
    recipe: AnyRecipe | None = None,
    settings: Sequence[str] = (),
    callbacks: Sequence[Callback] = (),
    *,
    open: bool = False,
    report: Reporter | None = None,
    processes: Processes | None = None,
    **sections: Any,
) -> Run:
    """Train a recipe's model, evaluate it and write its page; an interrupted run is resumed.

    `recipe` is a recipe's file, the name of a shipped one, or its values. `sections` are values of its sections, on top
    of these or alone: `training={"steps": 100}`, `model="bert-tiny"`, `corpus=texts`, `tokenizer=tokenizer` (see
    `recipe_of`). Last, each of the `settings` changes one value: "training.steps=100". `callbacks` are called in
    addition to the log, the progress bar and the trackers. `open` shows the run's page as it goes, in a browser or in
    the notebook. Raises HornbookError if something doesn't fit, before anything is trained, and Interrupted after
    Ctrl-C or SIGTERM, with everything saved.
    """
    report = report or reporter()
    processes = processes or Processes()
    if processes.shards:
        settings = [*settings, "training.shard=true"]
    with processes.together():
        made = recipe_of(recipe, settings, sections, report)
    run = Run(made.folder, trust=made.model.code is not None)
    if _to_read_only(made):
        report.say(
            f"{made.name}: trained already; its folder can't be written, so that its page stays as it is"
        )
        return run
    with in_words(made.folder), ExitStack() as stack:
        with processes.together():
            if processes.first:
                stack.enter_context(alone_in(made.folder))
        shown = [LivePage(report)] if open else []
        start(made, report, processes, [EvaluationAndPage(report), *shown, *callbacks]).train()
    return run


def _to_read_only(recipe: Recipe) -> bool:
    """Tell whether this is a finished run, evaluated and with its page, in a folder that can't be written."""
    folder = recipe.folder
    needed = (folder / "model", folder / "evaluation.json", folder / "page.html")
    if os.access(folder, os.W_OK) or not all(map(os.path.exists, needed)):
        return False
    with in_words(folder):
        check_folder(recipe)
    return True


class EvaluationAndPage(Callback):
    """Evaluates the finished model, unless this is already done, and writes the run's page."""

    def __init__(self, report: Reporter) -> None:
        self.report = report

    def on_finish(self, loop: TrainingLoop) -> None:
        """Evaluate and write the page."""
        folder = loop.run.folder
        if not self._evaluated(folder / "evaluation.json"):
            with self.report.shares() as tell:
                evaluate_run(folder, tell, trust=loop.run.recipe.model.code is not None)
        write_page([read_run(folder)], folder / "page.html", loop.run.recipe.name)
        write_card(folder)

    def _evaluated(self, path: Path) -> bool:
        """Tell whether the figures are there and whole."""
        try:
            return path.exists() and bool(read_sealed(path, "it is written anew")["measures"])
        except KeyError:
            return False
        except Damaged as error:
            self.report.warn(str(error))
            return False


def start(
    recipe: Recipe,
    report: Reporter,
    processes: Processes | None = None,
    callbacks: Sequence[Callback] = (),
) -> Loop:
    """Prepare a recipe's run, ready to train, and write down what it takes to repeat it."""
    processes = processes or Processes()
    quieten_transformers()
    sharded = recipe.training.shard and processes.count > 1
    keep_heap(sharded)
    with processes.together():
        choices = choose(recipe.training.precision, use_threads())
        precision = next(choice for choice in choices if choice.name == "precision")
        accelerator = make_accelerator(recipe)
    run = processes.first_then_others(lambda: prepare(recipe, report))
    with processes.together():
        choices = choose(recipe.training.precision, use_free_threads(_began_with_threads(run.began)), sharded)
        check_memory(recipe, run.config, processes.count)
    listening = [LogFile(), Trackers(), ProgressBar(report), Standstill(report), *callbacks]
    with processes.together():
        loop = Loop(run, accelerator, precision, report, listening, processes)
    processes.check_same("the step of the newest whole checkpoint", loop.progress.step)
    with processes.together():
        if processes.first:
            contract = (
                None
                if loop.progress.step
                else examine_contract(recipe, run.tokenizer, run.config, loop.model, report)
            )
            share = shared_by(processes.count, loop.shared.sharded)
            record(run, choices, loop.parameters, share, loop.progress.step, report)
            if contract:
                write_sealed(run.folder / "contract.json", contract)
    if recipe.training.shard and processes.count == 1:
        report.say("training.shard has no effect: there is one process, and nobody to divide the model with")
    counts = run.train.counts()
    report.say(
        f"{recipe.name}: {_named(recipe)} ({loop.parameters:,} parameters), {recipe.objective.name}, on "
        f"{recipe.corpus.describe()}: {counts['documents']:,} documents, {counts['tokens']:,} tokens; "
        f"{precision.chosen}, because {precision.why}"
    )
    # The precision is told above; what the machine chooses by itself is in run.json.
    if told := [one for one in choices if one is not precision and _worth_saying(one)]:
        report.say("; ".join(f"{one.name}: {one.chosen}, because {one.why}" for one in told))
    return loop


def init(
    recipe: AnyRecipe,
    out: Path,
    settings: Sequence[str] = (),
    *,
    trust: bool = False,
    report: Reporter | None = None,
    **sections: Any,
) -> dict[str, Any]:
    """Write the folder that a recipe's run would begin with: configuration, tokenizer, freshly initialised weights.

    The weights are, bit for bit, those before the run's first step. AutoModel and AutoTokenizer open the folder;
    nothing is written to the run's own folder. `sections` are as in `train`. With `trust`, code that the recipe's file
    names may run. Raises HornbookError if something doesn't fit, or if `out` exists.
    Returns out, model (the class), parameters, entries, and unused_positions (rows of the position table that no token
    takes).
    """
    report = report or reporter()
    quieten_transformers()
    check_new(out)
    made = recipe_of(recipe, settings, sections, report)
    if isinstance(recipe, Path | str) and not trust:
        made.model.distrust(Path(recipe))
    tokenizer, _, config = tokenizer_and_config(made, report)
    model = make_model(made, config)
    examine_contract(made, tokenizer, config, model, report)
    with beside(out, folder=True) as writing:
        model.save_pretrained(writing)
        tokenizer.save_pretrained(writing)
        save_record(writing, record_of(made))
    return {
        "out": str(out),
        "model": type(model).__name__,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "entries": len(tokenizer),
        "unused_positions": unused_positions(made.model.family, config, made.model.length),
    }


def _worth_saying(choice: Choice) -> bool:
    """Tell whether somebody asked for this choice, or wouldn't expect it."""
    fewer = choice.name == "threads" and int(choice.chosen) < cores()
    return choice.forced or choice.chosen == "cuda" or fewer


def _began_with_threads(facts: dict[str, Any] | None) -> int | None:
    """Return the number of threads with which a run began; None for a new one."""
    return int(began_with(facts)["threads"]) if facts else None


def _named(recipe: Recipe) -> str:
    """Name the size, and the class where it is one of the user's own."""
    code, size = recipe.model.code, recipe.model.size
    return f"{code}, {size}" if code and recipe.model.preset else code or size


def examine_contract(
    recipe: Recipe,
    tokenizer: PreTrainedTokenizerBase,
    config: PretrainedConfig,
    model: PreTrainedModel,
    report: Reporter,
) -> dict[str, Any]:
    """Let the doctor check a run before its first step: errors stop it; warnings are told once and kept."""
    family = recipe.model.family
    texts = recipe.corpus.beginnings()
    found = check_run(config, tokenizer, recipe.objective, recipe.model.length, model, family, texts)
    if found.errors:
        raise HornbookError("; ".join(f"{one.id}: {one.found}: {one.fix}" for one in found.errors))
    for one in found.warnings:
        report.warn(f"{one.id}: {one.found}: {one.why} {one.fix}")
    return found.facts()
