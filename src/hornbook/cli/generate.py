"""`hornbook generate`: what a causal model writes after a prompt."""

import sys
from typing import Annotated

import typer

from hornbook.cli.app import Json, Model, Trust, app, open_quietly
from hornbook.cli.output import print_json


@app.command()
def generate(
    model: Model,
    prompt: Annotated[str, typer.Argument(help="How the text begins; may be empty.")] = "",
    tokens: Annotated[int, typer.Option(min=1, help="How many tokens at most.")] = 200,
    temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest word each time.")] = 0.8,
    top_k: Annotated[int, typer.Option(min=0, help="Choose among so many; 0 is all.")] = 50,
    top_p: Annotated[
        float, typer.Option(min=0, max=1, help="Choose among those that share this probability.")
    ] = 0.95,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 0,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Let a causal model go on with a text, shown as it is written."""
    from hornbook.evaluation.generate import generate as write

    shown: list[str] = []

    def show(text: str) -> None:
        # The prompt comes with the first words, so that a refusal stands alone.
        print(text if shown else prompt + text, end="", flush=True)
        shown.append(text)

    def warn(text: str) -> None:
        print("\n" * bool(shown) + f"hornbook: {text}", file=sys.stderr)

    loaded = open_quietly(model, trust)
    text = write(loaded, prompt, tokens, temperature, top_k, top_p, seed, None if json else show, warn)
    if json:
        print_json({"prompt": prompt, "text": text, "seed": seed})
    else:
        show("\n")
