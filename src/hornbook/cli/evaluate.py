"""`hornbook evaluate`: what a model has learned, measured on held-out text, by public tasks or by minimal pairs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli.app import Json, Model, More, Trust, app, open_quietly
from hornbook.cli.console import make_reporter
from hornbook.cli.output import print_figures, print_json


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
        typer.Option(
            help="Public tasks instead: blimp, blimp_supplement, ewok; openbookqa, hellaswag, gsm8k."
        ),
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
        str | None, typer.Option(help="How a masked model scores pairs: within-word or pseudo-likelihood.")
    ] = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Measure a model on held-out text; each figure says what it can be compared with.

    A run is measured on its corpus's held-out part, and the figures are kept in its folder; any other model folder on
    the files that --text names. --task asks public tasks (several: --task blimp ewok), --pairs minimal pairs.
    """
    from hornbook.corpora import Corpus
    from hornbook.errors import HornbookError
    from hornbook.evaluation.evaluate import Outcome, evaluate_run
    from hornbook.evaluation.evaluate import evaluate as measure
    from hornbook.evaluation.tasks import evaluate_tasks

    if more and not task:
        raise HornbookError(f"{more[0]}: nothing says what this is: write --task before the names of tasks")
    options: dict[str, Any] = {"data": data, "limit": limit, "rule": rule}
    with make_reporter().shares() as tell:
        if task or pairs:
            names = [*(task or []), *(more or [])]
            figures = evaluate_tasks(
                open_quietly(model, trust), names, pairs or [], **options, run=model, progress=tell
            )
            outcome: Outcome = {"measures": figures, "samples": []}
        elif unused := [f"--{name}" for name, given in options.items() if given is not None]:
            raise HornbookError(
                f"{', '.join(unused)} is for tasks and pairs: name some with --task or --pairs"
            )
        elif text:
            if documents not in ("file", "blank-line", "line", "separator"):
                raise HornbookError(f"--documents {documents}: choose file, blank-line, line or separator")
            corpus = Corpus.model_validate({"path": text, "documents": documents, "heldout_fraction": 0})
            outcome = measure(open_quietly(model, trust), list(corpus.documents_of("train")), progress=tell)
        elif (model / "recipe.yaml").exists():
            outcome = evaluate_run(model, tell, trust)
        else:
            raise HornbookError(
                f"{model}: this is not a run, so it has no held-out part: name text files with --text"
            )
    print_json(outcome) if json else print_figures(outcome)
