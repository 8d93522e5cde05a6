"""`hornbook init`: the folder that a recipe's run would begin with."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, Settings, Trust, app
from hornbook.cli.output import print_json
from hornbook.console import make_reporter


@app.command()
def init(
    recipe: Annotated[
        Path, typer.Argument(readable=False, help="A recipe, such as recipes/manuals-robertalbert.yaml.")
    ],
    folder: Annotated[Path, typer.Argument(help="Where to write it; nothing may be there yet.")],
    settings: Settings = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Write the configuration, tokenizer and fresh weights that a recipe's run would begin with."""
    from hornbook.training.train import init as write

    report = make_reporter()
    facts = write(recipe, folder, settings or [], trust=trust, report=report)
    if json:
        print_json(facts)
        return
    report.say(
        f"{facts['model']}, {facts['parameters']:,} parameters, {facts['entries']:,} entries: {folder}"
    )
    if unused := facts["unused_positions"]:
        report.say(f"Rows of the position table that no token takes: {', '.join(map(str, unused))}")
