"""`hornbook dense questions`: train on questions with and without dense tokens before the answer, and judge."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, Settings
from hornbook.cli.dense import dense
from hornbook.cli.dense_tasks import row_of
from hornbook.cli.output import print_json, print_table
from hornbook.console import make_reporter


@dense.command()
def questions(
    model: Annotated[Path, typer.Argument(readable=False, help="The causal model's folder to begin with.")],
    out: Annotated[Path, typer.Argument(help="Where the trained models and the figures go.")],
    recipe: Annotated[
        Path | None, typer.Option(help="A recipe such as recipes/dense/questions.yaml, which is the default.")
    ] = None,
    settings: Settings = None,
    difference: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="The difference that you would like to see, as a share.")
    ] = 0.05,
    json: Json = False,
) -> None:
    """Train a model on questions, with dense tokens before the answer, with pause tokens and without, and judge each.

    The loss is on the answer only. The models learn the tasks' training split and answer their test split, beside the
    untrained model. What was cut off goes on where the same command is given again.
    """
    from hornbook.dense import questions as ask

    found = ask(model, out, recipe, settings or [], difference, make_reporter())
    if json:
        print_json(found)
        return
    for name, rows in found.items():
        print(f"\n{name}")
        print_table([row_of(way, figures) for way, figures in rows.items()])
