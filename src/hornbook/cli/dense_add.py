"""`hornbook dense add`: give any causal model a dense token."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hornbook.cli.app import Json
from hornbook.cli.dense import dense
from hornbook.cli.output import print_json


@dense.command()
def add(
    model: Annotated[
        Path, typer.Argument(readable=False, help="A causal model's folder, such as a Pythia's.")
    ],
    out: Annotated[Path, typer.Argument(help="Where the model with the token goes.")],
    vector: Annotated[
        Literal["rms", "raw", "soft"], typer.Option(help="The vector that it carries; see DenseOptions.")
    ] = "rms",
    share_positions: Annotated[bool, typer.Option(help="Give it the position of the word before it.")] = True,
    json: Json = False,
) -> None:
    """Add <|dense|> to a causal model; AutoModelForCausalLM can still open the folder."""
    from hornbook.dense import add as give

    facts = give(model, out, vector, share_positions)
    if json:
        print_json(facts)
    else:
        print(f"{out}: {facts['token']} is id {facts['id']:,} of {facts['rows']:,} rows")
