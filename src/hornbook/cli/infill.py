"""`hornbook infill`: what a text-to-text model would put in a text's blanks."""

from dataclasses import asdict
from typing import Annotated

import typer

from hornbook.cli.app import Json, Model, Trust, app, open_quietly
from hornbook.cli.output import print_json


@app.command()
def infill(
    model: Model,
    text: Annotated[
        str, typer.Argument(help='A text with blanks, such as "Once upon a <mask> there was a <mask>."')
    ],
    tokens: Annotated[int, typer.Option(min=1, help="How many tokens a blank gets at most.")] = 32,
    temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest word each time.")] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 0,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Fill a text's blanks with spans of words; ⟦ and ⟧ show where they begin and end."""
    from hornbook.evaluation.infill import infill as fill

    filled = fill(open_quietly(model, trust), text, tokens, temperature, seed=seed)
    if json:
        print_json(asdict(filled))
    else:
        print(filled.text)
