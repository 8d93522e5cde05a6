"""`hornbook train`: from a recipe to a trained, evaluated model and its page."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hornbook.cli.app import Json, Settings, app
from hornbook.cli.output import print_json
from hornbook.console import make_reporter

if TYPE_CHECKING:
    from hornbook.training.processes import Processes


@app.command()
def train(
    recipe: Annotated[
        Path, typer.Argument(readable=False, help="A recipe, such as recipes/tinystories-gpt-neo.yaml.")
    ],
    settings: Settings = None,
    open: Annotated[
        bool, typer.Option("--open", help="Show the run's page in a browser as it goes.")
    ] = False,
    json: Json = False,
) -> None:
    """Train a recipe's model, evaluate it and write its page. If a run was cut off, the same command continues it."""
    from hornbook.training.processes import join
    from hornbook.training.train import train as learn

    processes = join()
    first = processes.first
    report = make_reporter(silent=not first)
    with one_voice(processes):
        run = learn(recipe, settings or [], open=open, report=report, processes=processes)
    if not first:
        return
    if json:
        print_json({"run": str(run.folder), "model": str(run.folder / "model"), "page": str(run.page)})
    else:
        for one in run.record.measures:
            report.say(f"{one.measure}: {one.value:.4f} {one.unit}")
        report.say(f"The model: {run.folder / 'model'}\nThe page:  {run.page}")


@contextmanager
def one_voice(processes: "Processes") -> Iterator[None]:
    """If one of several processes fails, tell its error once, with its rank, and end all of them."""
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
        # PyTorch's state of a broken process group can keep Python from ever exiting (see Processes.part).
        os._exit(ending.exit_code)
