"""`hornbook study`: a question about training, answered by runs that anyone can repeat."""

import json as text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hornbook.atomic import beside
from hornbook.cli.app import Json, Settings, app, print_json, print_table

if TYPE_CHECKING:
    from hornbook.recipe import Recipe


@app.command()
def study(
    file: Annotated[Path, typer.Argument(help="A study, such as recipes/studies/positions.yaml.")],
    settings: Settings = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the runs and the page go; runs/studies/NAME by default.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=2, help="How many runs each arm has.")] = None,
    processes: Annotated[
        int, typer.Option(min=0, help="Runs at once, of one thread each; 0 is one for each core.")
    ] = 0,
    json: Json = False,
) -> None:
    """Train a study's arms at several seeds, compare them, and write what came of it on a page."""
    from hornbook.machine import cores
    from hornbook.report.study import write_study
    from hornbook.study import conduct, read_study
    from hornbook.training.progress import Reporter

    report = Reporter()
    design = read_study(file, settings or [], seeds)
    out = out or Path("runs/studies") / design.name
    found = conduct(design, out, processes or cores(), train_one, report)
    with beside(out / "answer.json") as answer:
        answer.write_text(text.dumps(found, indent=2, ensure_ascii=False), "utf-8")
    page = write_study(found, out / "page.html")
    if json:
        print_json(found | {"page": str(page)})
        return
    print_table(
        [
            {"arm": arm, **{name: sum(values) / len(values) for name, values in one["values"].items()}}
            for arm, one in found["arms"].items()
        ]
    )
    report.say("\n" + "\n".join([*(one["sentence"] for one in found["answers"]), *found["remarks"]]))
    report.say(f"\nThe page: {page.resolve()}")


def train_one(recipe: "Recipe") -> None:
    """Train a run to its end, without a word."""
    from hornbook.cli.train import start
    from hornbook.training.progress import Reporter

    start(recipe, Reporter(silent=True)).train()
