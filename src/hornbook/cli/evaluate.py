"""`hornbook evaluate`: what a model has learned, measured on held-out text or by public tasks."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, Model, Trust, app, open_quietly
from hornbook.cli.console import make_reporter
from hornbook.cli.output import print_json


@app.command()
def evaluate(
    model: Model,
    text: Annotated[
        list[str] | None, typer.Option(help="Text files to measure on, instead of the run's held-out part.")
    ] = None,
    documents: Annotated[
        str, typer.Option(help="Where documents end in those: file, blank-line, line or separator.")
    ] = "blank-line",
    task: Annotated[
        list[str] | None,
        typer.Option(
            help="Ask a causal model this task's questions instead: openbookqa, hellaswag or gsm8k."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="A folder with the tasks' files, or one's file; else the hub.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Questions of a task at most; all by default.")
    ] = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Measure a model on held-out text; each figure says what it can be compared with.

    A run is measured on its corpus's held-out part, and the figures are kept in its folder; any other model folder on
    the files that --text names, and any causal model on the questions of public tasks.
    """
    from hornbook.corpora import Corpus
    from hornbook.errors import HornbookError
    from hornbook.evaluation.answers import measure_task
    from hornbook.evaluation.evaluate import Outcome, evaluate_run
    from hornbook.evaluation.evaluate import evaluate as measure
    from hornbook.evaluation.questions import find_task, read_questions

    with make_reporter().shares() as tell:
        if task:
            loaded = open_quietly(model, trust)
            outcome: Outcome = {"measures": [], "samples": []}
            for public in map(find_task, task):
                asked = read_questions(public, data, limit)
                outcome["measures"] += measure_task(loaded, public, asked, partial(tell, public.name))
        elif text:
            if documents not in ("file", "blank-line", "line", "separator"):
                raise HornbookError(f"--documents {documents}: choose file, blank-line, line or separator")
            corpus = Corpus.model_validate({"path": text, "documents": documents, "heldout_fraction": 0})
            outcome = measure(open_quietly(model, trust), list(corpus.documents_of("train")), progress=tell)
        elif (model / "recipe.yaml").exists():
            outcome = evaluate_run(model, tell, trust)
        else:
            raise HornbookError(
                f"{model}: this is no run, so it has no held-out part: name text files with --text"
            )
    if json:
        print_json(outcome)
        return
    for one in outcome["measures"]:
        print(f"{one['measure']}: {one['value']:.4f} {one['unit']}, over {one['over']}")
        print(f"  {one['rule']} {one['comparable']}\n")
    for one in outcome["samples"]:
        print(f"{one['kind']}  {one['prompt']}\n  {one['output']}")
