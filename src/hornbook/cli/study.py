"""`hornbook study`: a question about training, answered by runs that anyone can repeat."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, Settings, app
from hornbook.cli.console import make_reporter
from hornbook.cli.output import print_json, print_table


@app.command()
def study(
    file: Annotated[
        Path, typer.Argument(help="A study, such as recipes/studies/positions.yaml, or its answer.json.")
    ],
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
    """Train a study's arms with several seeds, compare them, and write a page and tables (CSV, Markdown, LaTeX).

    A run that fails is told and the rest finishes, with exit code 1; the same command goes on.
    """
    from hornbook.machine import cores
    from hornbook.report.study import shown
    from hornbook.report.tables import TABLES
    from hornbook.studies import read_study
    from hornbook.studies.conduct import conduct

    report = make_reporter()
    design = read_study(file, settings or [], seeds)
    out = out or Path("runs/studies") / design.name
    found = conduct(design, out, processes or cores(), report)
    page = out / "page.html"
    failed = any(one["failed"] for one in found["arms"].values())
    if json:
        print_json(found | {"page": str(page)})
        raise typer.Exit(int(failed))
    print_table(
        [
            {"arm": arm}
            | {name: shown(values, found["figures"][name]["unit"]) for name, values in one["values"].items()}
            for arm, one in found["arms"].items()
        ]
    )
    report.say("\n" + "\n".join([*(one["sentence"] for one in found["answers"]), *found["remarks"]]))
    report.say(f"\nThe page: {page.resolve()}")
    report.say(f"The tables beside it: {', '.join(TABLES)}")
    raise typer.Exit(int(failed))
