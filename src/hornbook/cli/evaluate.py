"""`hornbook evaluate`: what a model has learned, measured on held-out text, by public tasks or by minimal pairs."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, Model, More, Trust, app, open_quietly
from hornbook.cli.output import print_figures, print_json
from hornbook.console import make_reporter


@app.command()
def evaluate(
    model: Model,
    more: More = None,
    text: Annotated[
        list[str] | None, typer.Option(help="Text files to measure on, instead of the run's held-out part.")
    ] = None,
    documents: Annotated[
        str, typer.Option(help="Where documents end in these files: file, blank-line, line or separator.")
    ] = "blank-line",
    task: Annotated[
        list[str] | None,
        typer.Option(help="Public tasks: blimp, blimp_supplement, ewok, and all of lm-eval's (hellaswag)."),
    ] = None,
    pairs: Annotated[
        list[Path] | None, typer.Option(help="Minimal pairs of one's own: JSON lines with good and bad.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="A folder with the tasks' files, or one task's file; else the hub.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Questions of a task, or pairs of a paradigm, at most.")
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(help="How pairs are scored: log-probability, lm-eval; within-word, pseudo-likelihood."),
    ] = None,
    dense: Annotated[
        int | None, typer.Option(min=1, help="Dense tokens that are read before each answer to a question.")
    ] = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Measure a model on held-out text; each figure says what it can be compared with.

    A run is measured on its corpus's held-out part, and the figures are kept in its folder; any other model folder on
    the files that --text names. --task asks public tasks (several: --task blimp ewok), --pairs minimal pairs.
    """
    from hornbook.errors import HornbookError
    from hornbook.evaluation.asked import evaluate as ask
    from hornbook.evaluation.asked import refuse_learned

    if more and not task:
        raise HornbookError(f"{more[0]}: nothing says what this is: write --task before the names of tasks")
    names, files = [*(task or []), *(more or [])], [Path(one) for one in text or []]
    refuse_learned(names, model)
    with make_reporter().shares() as tell:
        opened = open_quietly(model, trust) if task or pairs or text else model
        outcome = ask(
            opened,
            files or None,
            documents,
            names,
            pairs,
            data,
            limit,
            rule,
            trust,
            dense,
            run=model,
            progress=tell,
        )
    print_json(outcome) if json else print_figures(outcome)
