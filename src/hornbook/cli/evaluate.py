"""`hornbook evaluate`: what a model has learned, measured on held-out text."""

from typing import Annotated

import typer

from hornbook.cli.app import Json, Model, app, open_quietly, print_json


@app.command()
def evaluate(
    model: Model,
    text: Annotated[
        list[str] | None, typer.Option(help="Text files to measure on, instead of the run's held-out part.")
    ] = None,
    documents: Annotated[
        str, typer.Option(help="Where documents end in those: file, blank-line, line or separator.")
    ] = "blank-line",
    json: Json = False,
) -> None:
    """Measure a model on held-out text; each figure says what it can be compared with.

    A run is measured on its corpus's held-out part, and the figures are kept in its folder; any other model folder on
    the files that --text names.
    """
    from hornbook.corpora import Corpus
    from hornbook.errors import HornbookError
    from hornbook.evaluation.evaluate import evaluate as measure
    from hornbook.evaluation.evaluate import evaluate_run
    from hornbook.training.progress import Reporter

    with Reporter().shares() as tell:
        if text:
            if documents not in ("file", "blank-line", "line", "separator"):
                raise HornbookError(f"--documents {documents}: choose file, blank-line, line or separator")
            corpus = Corpus.model_validate({"path": text, "documents": documents, "heldout_fraction": 0})
            outcome = measure(open_quietly(model), list(corpus.documents_of("train")), progress=tell)
        elif (model / "recipe.yaml").exists():
            outcome = evaluate_run(model, tell)
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
