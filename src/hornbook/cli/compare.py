"""`hornbook compare`: runs side by side, in a table and on a page."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli.app import Json, app
from hornbook.cli.output import print_json, print_table, shown


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(readable=False, help="Run folders.")],
    page: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("runs/compare.html"),
    title: Annotated[str, typer.Option(help="The page's title.")] = "Runs compared",
    json: Json = False,
) -> None:
    """Compare runs: what they are, what they were trained on and how well they do, by comparable figures only."""
    from hornbook.report import compare as put_beside

    found = put_beside(runs, page, title)
    if json:
        print_json({"runs": found.rows, "page": str(found.page)})
    else:
        shown_here = [
            {key: value for key, value in row.items() if key not in found.parts} for row in found.rows
        ]
        print_table([_with_intervals(row) for row in shown_here], across=True)
        print(f"The page: {found.page}")
        if found.parts:
            print("It also has the figures over parts of the questions, such as single groups of BLiMP.")


def _with_intervals(row: dict[str, Any]) -> dict[str, Any]:
    """Put the ends of a figure's interval behind it."""
    from hornbook.report.table import HIGH, LOW

    written = {}
    for name, value in row.items():
        low, high = row.get(f"{name}{LOW}"), row.get(f"{name}{HIGH}")
        if not name.endswith((LOW, HIGH)):
            spread = low is not None and high is not None
            written[name] = f"{shown(value)} ({shown(low)} to {shown(high)})" if spread else value
    return written
