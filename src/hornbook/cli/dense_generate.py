"""`hornbook dense generate`: what a model writes when it may use dense tokens between words."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hornbook.cli.app import Json
from hornbook.cli.dense import dense
from hornbook.cli.output import print_json


@dense.command()
def generate(
    model: Annotated[
        Path, typer.Argument(readable=False, help="A folder that `hornbook dense add` or `train` wrote.")
    ],
    prompt: Annotated[str, typer.Argument(help="How the text begins; may be empty.")] = "",
    think: Annotated[
        Literal["model", "every", "entropy", "never"], typer.Option(help="When to insert a dense token.")
    ] = "model",
    every: Annotated[int, typer.Option(min=1, help="With --think every: after how many words.")] = 4,
    entropy: Annotated[float, typer.Option(min=0, help="With --think entropy: from how many nats on.")] = 3.0,
    budget: Annotated[int, typer.Option(min=0, help="Dense tokens at most.")] = 64,
    longest: Annotated[int, typer.Option(min=1, help="Dense tokens at most in a row.")] = 4,
    tokens: Annotated[int, typer.Option(min=1, help="Words at most.")] = 200,
    temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest word each time.")] = 0.8,
    top_k: Annotated[int, typer.Option(min=0, help="Choose among the k likeliest words; 0 is all.")] = 50,
    top_p: Annotated[
        float,
        typer.Option(min=0.01, max=1, help="Choose among the likeliest words that make up this probability."),
    ] = 0.95,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 0,
    show: Annotated[
        bool, typer.Option("--show", help="Show each dense token, and what it decodes to.")
    ] = False,
    json: Json = False,
) -> None:
    """Let a model with dense tokens continue a text."""
    from hornbook.dense import generate as write

    written = write(
        model, prompt, think, every, entropy, budget, longest, tokens, temperature, top_k, top_p, seed
    )
    if json:
        told = [{"after": one.after, "read": [list(pair) for pair in one.read]} for one in written.thoughts]
        print_json({"prompt": prompt, "text": written.text, "seed": seed, "thoughts": told})
    else:
        print(written if show else prompt + written.text)
