"""`hornbook finetune`: a pre-trained model as a classifier of texts, by GLUE, SuperGLUE or a table of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, Model, More, Trust, app
from hornbook.cli.output import print_figures, print_json
from hornbook.console import make_reporter


@app.command()
def finetune(
    model: Model,
    more: More = None,
    task: Annotated[
        list[str] | None,
        typer.Option(help="sst2, cola, mnli, boolq ..., or all: glue, superglue, babylm (BabyLM's seven)."),
    ] = None,
    train: Annotated[
        Path | None, typer.Option(help="A table of one's own (CSV, TSV, JSON lines) with text and label.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="The table that is reported.")] = None,
    data: Annotated[Path | None, typer.Option(help="A folder with the tasks' files; else the hub.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, from 42 on.")] = 3,
    epochs: Annotated[int | None, typer.Option(min=1, help="10 by default; WSC has 30.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="32 by default; BoolQ, MultiRC: 16.")] = None,
    learning_rate: Annotated[float | None, typer.Option(min=0, help="3e-5 by default.")] = None,
    patience: Annotated[
        int | None, typer.Option(min=1, help="Epochs without a better one after which it stops.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Texts of each part at most, drawn at random: for a first try.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where all goes; the run's folder by default.")] = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Fine-tune a model on tasks with labels, with BabyLM's settings; each figure stands beside the majority's.

    Classifiers are plain folders, RUN/finetuned/TASK/seed-N; `hornbook compare` shows the figures.
    """
    from hornbook.errors import HornbookError
    from hornbook.finetuning import finetune as tune

    if more and not task:
        raise HornbookError(f"{more[0]}: nothing says what this is: write --task before the names of tasks")
    given = {"epochs": epochs, "batch": batch, "learning_rate": learning_rate, "patience": patience}
    with make_reporter().shares() as tell:
        figures = tune(
            model,
            [*(task or []), *(more or [])],
            train=train,
            test=test,
            data=data,
            seeds=seeds,
            changes={name: value for name, value in given.items() if value is not None},
            limit=limit,
            out=out,
            trust=trust,
            progress=tell,
        )
    outcome = {"measures": figures}
    print_json(outcome) if json else print_figures(outcome)
