"""`hornbook generate`: what a causal model writes after a prompt."""

import sys
from typing import Annotated

import typer

from hornbook.cli.app import Json, Model, app, open_quietly
from hornbook.cli.output import print_json


@app.command()
def generate(
    model: Model,
    prompt: Annotated[str, typer.Argument(help="How the text begins; may be empty.")] = "",
    tokens: Annotated[int, typer.Option(min=1, help="How many tokens at most.")] = 200,
    temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest word each time.")] = 0.8,
    top_k: Annotated[int, typer.Option(min=0, help="Choose among the k likeliest words; 0 is all.")] = 50,
    top_p: Annotated[
        float,
        typer.Option(min=0, max=1, help="Choose among the likeliest words that make up this probability."),
    ] = 0.95,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 0,
    json: Json = False,
) -> None:
    """Let a causal model continue a text, and show the text while it is written."""
    from hornbook.evaluation.generate import generate as write

    beginning = iter([prompt])  # shown with the first piece, since the model may refuse it

    def show(text: str) -> None:
        print(next(beginning, "") + text, end="", flush=True)

    def warn(text: str) -> None:
        print(f"\nhornbook: {text}", file=sys.stderr)

    loaded = open_quietly(model)
    text = write(loaded, prompt, tokens, temperature, top_k, top_p, seed, None if json else show, warn)
    if json:
        print_json({"prompt": prompt, "text": text, "seed": seed})
    else:
        print(next(beginning, ""))
