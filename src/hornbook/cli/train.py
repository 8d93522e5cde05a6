"""`hornbook train`: from a recipe to a trained, evaluated model and its page."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hornbook.cli.app import Json, Settings, app, print_json, quieten_transformers
from hornbook.errors import HornbookError

if TYPE_CHECKING:
    from hornbook.recipe import Recipe
    from hornbook.training.loop import Loop
    from hornbook.training.processes import Processes
    from hornbook.training.progress import Reporter
    from hornbook.training.run import Run


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe, such as recipes/tinystories-gpt-neo.yaml.")],
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Train a recipe's model, evaluate it and write its page. A run that was cut off goes on by itself."""
    from hornbook.recipe import read_recipe
    from hornbook.training.processes import join
    from hornbook.training.progress import Reporter

    processes = join()
    report = Reporter(silent=not processes.first)
    with one_voice(processes):
        with processes.together():
            resolved = read_recipe(recipe, settings or [])
        page = train_and_evaluate(resolved, report, processes)
    if not processes.first:
        return
    if json:
        print_json({"run": str(resolved.folder), "model": str(resolved.folder / "model"), "page": str(page)})
    else:
        report.say(f"The model: {resolved.folder / 'model'}\nThe page:  {page}")


@contextmanager
def one_voice(processes: "Processes") -> Iterator[None]:
    """Let one of several processes tell an error, with the rank where it happened, and end all of them."""
    try:
        yield
    except Exception as error:
        if not processes.launched:
            raise
        ending = processes.end(error)
        if ending.text:
            print(f"hornbook: {ending.text}", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        # What PyTorch holds of a broken group can keep Python from ever ending (see Processes.part).
        os._exit(ending.exit_code)


def start(recipe: "Recipe", report: "Reporter", processes: "Processes | None" = None) -> "Loop":
    """Prepare a recipe's run and write down what it is made of, ready to train."""
    from hornbook.machine import choose, use_threads
    from hornbook.training.accelerator import make_accelerator
    from hornbook.training.heap import keep_heap
    from hornbook.training.loop import Loop
    from hornbook.training.processes import Processes
    from hornbook.training.run import prepare, record, write_json

    processes = processes or Processes()
    quieten_transformers()
    keep_heap()
    with processes.together():
        use_threads()
        choices = choose(recipe.training.precision)
        precision = next(choice for choice in choices if choice.name == "precision")
        accelerator = make_accelerator(recipe)
    run = processes.first_then_others(lambda: prepare(recipe, report))
    with processes.together():
        loop = Loop(run, accelerator, precision, report, processes)
    processes.check_same("the step of the newest whole checkpoint", loop.progress.step)
    with processes.together():
        if processes.first:
            contract = None if loop.progress.step else examine_contract(run, loop, report)
            record(run, choices, loop.parameters, processes.count, loop.progress.step, report)
            if contract:
                write_json(run.folder / "contract.json", contract)
    counts = run.train.counts()
    report.say(
        f"{recipe.name}: {recipe.model.preset} ({loop.parameters:,} parameters), {recipe.objective.name}, on "
        f"{recipe.corpus.describe()}: {counts['documents']:,} documents, {counts['tokens']:,} tokens; "
        f"{precision.chosen}, because {precision.why}"
    )
    # The precision is told above; what the machine chooses by itself is in run.json.
    if told := [one for one in choices if one is not precision and (one.forced or one.chosen == "cuda")]:
        report.say("; ".join(f"{one.name}: {one.chosen}, because {one.why}" for one in told))
    return loop


def examine_contract(run: "Run", loop: "Loop", report: "Reporter") -> dict[str, Any]:
    """Let the doctor look at a run before its first step: errors stop it, warnings are told once and kept."""
    from hornbook.contract import check_run

    recipe = run.recipe
    found = check_run(run.config, run.tokenizer, recipe.objective, recipe.model.length, loop.model)
    if found.errors:
        raise HornbookError("; ".join(f"{one.id}: {one.found}: {one.fix}" for one in found.errors))
    for one in found.warnings:
        report.warn(f"{one.id}: {one.found}: {one.why} {one.fix}")
    return found.facts()


def train_and_evaluate(recipe: "Recipe", report: "Reporter", processes: "Processes | None" = None) -> Path:
    """Do the main job, or what is left of it, and give the page."""
    from hornbook.evaluation.evaluate import evaluate_run
    from hornbook.report import read_run, write_page

    loop = start(recipe, report, processes)
    loop.train()
    page = recipe.folder / "page.html"
    if loop.processes.first:
        if not (recipe.folder / "evaluation.json").exists():
            with report.shares() as tell:
                evaluate_run(recipe.folder, tell)
        write_page([read_run(recipe.folder)], page, recipe.name)
    return page
