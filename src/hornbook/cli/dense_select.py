"""`hornbook dense select`: phase 1, places where dense tokens help."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hornbook.cli.app import Json
from hornbook.cli.dense import dense
from hornbook.cli.output import print_json
from hornbook.console import make_reporter


@dense.command()
def select(
    model: Annotated[
        Path, typer.Argument(readable=False, help="A causal model's folder, with a dense token or without.")
    ],
    out: Annotated[Path, typer.Argument(help="Where the selection goes.")],
    text: Annotated[
        str | None, typer.Option(help="A file of text, or a glob; by default Python's manuals.")
    ] = None,
    heldout: Annotated[str | None, typer.Option(help="Held-out text; by default some documents.")] = None,
    documents: Annotated[
        Literal["file", "blank-line", "line", "separator"], typer.Option(help="Where documents end.")
    ] = "file",
    windows: Annotated[int, typer.Option(min=1, help="Texts at most.")] = 512,
    heldout_windows: Annotated[
        int, typer.Option(min=1, help="Held-out texts at most; trainings are measured on them.")
    ] = 256,
    length: Annotated[int, typer.Option(min=2, help="Tokens in each.")] = 64,
    special_tokens: Annotated[
        Literal["text", "special"], typer.Option(help="What a written-out </s> is in the text.")
    ] = "text",
    count: Annotated[
        int | None, typer.Option(min=0, help="Dense tokens put in each: 4, or 0 if the text has its own.")
    ] = None,
    proposals: Annotated[int, typer.Option(min=1, help="Insertions tried for each.")] = 4,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of filling.")] = 1,
    places: Annotated[Literal["chance", "least-sure"], typer.Option(help="Where they are tried.")] = "chance",
    keep: Annotated[Literal["texts", "places", "chance"], typer.Option(help="What is kept.")] = "texts",
    share: Annotated[
        float | None, typer.Option(min=0.001, max=1, help="Texts kept: half, or all with --count 0.")
    ] = None,
    seed: Annotated[int, typer.Option()] = 0,
    json: Json = False,
) -> None:
    """Propose dense tokens, fill them, and keep those after which the words are likelier.

    A <|dense|> that the text itself holds is a dense token, and stays where it is.
    """
    from hornbook.dense import select as choose

    selection = choose(
        model,
        out,
        text,
        heldout,
        documents,
        windows,
        heldout_windows,
        length,
        special_tokens,
        count,
        proposals,
        rounds,
        places,
        keep,
        share,
        seed,
        make_reporter(),
    )
    gains = selection.facts["gains"]
    if json:
        print_json({"selection": str(out), **gains})
        return
    print(f"{out}: {gains['texts kept']:,} of {gains['texts']:,} texts kept. Gain in {gains['unit']}:")
    for name in ("all proposals", "kept", "kept texts, fresh places", "kept by chance"):
        print(f"  {name}: {gains[name]:+.4f}")
