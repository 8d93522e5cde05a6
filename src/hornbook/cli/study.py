"""`hornbook study`: a question about training, answered by runs that anyone can repeat."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hornbook.cli.app import Json, Settings, app
from hornbook.cli.output import print_json, print_table
from hornbook.console import make_reporter


@app.command()
def study(
    file: Annotated[
        Path,
        typer.Argument(
            readable=False, help="A study, such as recipes/studies/positions.yaml, or its answer.json."
        ),
    ],
    settings: Settings = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the runs and the page go; runs/studies/NAME by default.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=2, help="How many runs each arm has.")] = None,
    processes: Annotated[
        int, typer.Option(min=0, help="Runs at once, of one thread each; 0 is one for each core.")
    ] = 0,
    tokens: Annotated[int | None, typer.Option(min=1, help="Tokens that each run reads.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="A folder with the files of the measures' tasks; else the hub.")
    ] = None,
    on: Annotated[
        Literal["slurm", "local"] | None,
        typer.Option(help="Send each run as a job: to slurm (extra slurm), or local, to try that here."),
    ] = None,
    json: Json = False,
) -> None:
    """Train a study's arms with several seeds, compare them, and write a page and tables (CSV, Markdown, LaTeX).

    A run that fails is told and the rest finishes, with exit code 1; the same command goes on.
    """
    from hornbook.report.tables import TABLES
    from hornbook.studies.ask import study as ask

    report = make_reporter()
    found = ask(file, settings or [], out, seeds, processes, tokens, data, on, report=report)
    if json:
        print_json(found.facts | {"page": str(found.page)})
    else:
        print_table(found.rows)
        report.say("\n" + "\n".join(found.sentences))
        report.say(f"\nThe page: {found.page.resolve()}")
        report.say(f"The tables beside it: {', '.join(TABLES)}")
    raise typer.Exit(int(found.failed))
