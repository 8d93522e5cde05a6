"""`hornbook tokenizer import`: another library's tokenizer as a folder that every library opens."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json
from hornbook.cli.output import print_json
from hornbook.cli.tokenizer import tokenizer


@tokenizer.command("import")
def import_(
    source: Annotated[
        Path,
        typer.Argument(help="A SentencePiece .model, vocab.txt, vocab.json, tokenizer.json, or a folder."),
    ],
    out: Annotated[Path, typer.Option(help="Where to write it; nothing may be there yet.")],
    family: Annotated[
        str | None, typer.Option("--for", help="Give it the template of this family; else it keeps its own.")
    ] = None,
    length: Annotated[
        int | None, typer.Option(min=1, help="Tokens to which it truncates a text, if truncation is on.")
    ] = None,
    json: Json = False,
) -> None:
    """Import an existing tokenizer with the ids that it has: no vocabulary entry moves or is added."""
    from hornbook.tokenizer import import_ as take

    facts = take(source, out, family, length)
    if json:
        print_json(facts)
        return
    named = ", ".join(
        f"{role.removesuffix('_token')} {one['token']} at {one['id']}" for role, one in facts["roles"].items()
    )
    print(f"{facts['kind']}, {facts['entries']:,} entries, {named or 'no special tokens'}: {out}")
