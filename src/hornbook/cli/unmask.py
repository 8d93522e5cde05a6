"""`hornbook unmask`: what a masked model would put in a blank."""

from dataclasses import asdict
from typing import Annotated

import typer

from hornbook.cli.app import Json, Model, Trust, app, open_quietly
from hornbook.cli.output import print_json


@app.command()
def unmask(
    model: Model,
    text: Annotated[str, typer.Argument(help='A text with blanks, such as "Once upon a <mask>".')],
    top: Annotated[int, typer.Option(min=1, help="How many candidates to show.")] = 5,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Show what a masked model would put in each blank, with probabilities."""
    from hornbook.evaluation.unmask import unmask as fill

    blanks = fill(open_quietly(model, trust), text, top)
    if json:
        print_json([asdict(blank) for blank in blanks])
        return
    for blank in blanks:
        for candidate in blank.candidates:
            print(f"{candidate.probability:7.1%}  {candidate.text.replace(chr(10), '⏎')}")
        print()
