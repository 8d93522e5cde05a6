"""`hornbook dense generate`: what a model writes when it may use dense tokens between words."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hornbook.cli.app import Json
from hornbook.cli.dense import dense
from hornbook.cli.output import print_json
from hornbook.quiet import quieten_transformers


@dense.command()
def generate(
    model: Annotated[Path, typer.Argument(help="A folder that `hornbook dense add` or `train` wrote.")],
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
    from hornbook.dense.folder import open_dense
    from hornbook.dense.generate import Writing, write
    from hornbook.dense.show import text_of, thoughts
    from hornbook.dense.vocabulary import context, unwritable

    quieten_transformers()
    loaded, tokenizer = open_dense(model)
    loaded.eval()
    options = Writing(
        tokens=tokens,
        think=think,
        every=every,
        entropy=entropy,
        budget=budget,
        longest=longest,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
    )
    before = context(tokenizer, prompt, loaded.options.token)
    (steps,) = write(loaded, [before], tokenizer.eos_token_id, unwritable(loaded, tokenizer), options)
    text, found = text_of(tokenizer, before, steps), thoughts(tokenizer, before, steps)
    if json:
        told = [{"after": one.after, "read": [list(pair) for pair in one.read]} for one in found]
        print_json({"prompt": prompt, "text": text, "seed": seed, "thoughts": told})
        return
    if not show:
        print(prompt + text)
        return
    place = 0
    print(prompt, end="")
    for one in found:
        print(text[place : len(one.after)], end="")
        place = len(one.after)
        print(
            f" ⟨{' | '.join(f'{word.strip()} {100 * chance:.0f} %' for word, chance in one.read[:3])}⟩",
            end="",
        )
    print(text[place:])
