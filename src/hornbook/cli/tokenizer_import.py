"""`hornbook tokenizer import`: another library's tokenizer as a folder that every library opens."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, print_json, quieten_transformers
from hornbook.cli.tokenizer import tokenizer
from hornbook.errors import HornbookError, nearest


@tokenizer.command("import")
def import_(
    source: Annotated[
        Path,
        typer.Argument(help="A SentencePiece .model, vocab.txt, vocab.json, tokenizer.json, or a folder."),
    ],
    out: Annotated[Path, typer.Option(help="Where it goes; nothing may be there.")],
    family: Annotated[
        str | None, typer.Option("--for", help="Put on the template of this family; else it keeps its own.")
    ] = None,
    length: Annotated[
        int | None, typer.Option(min=1, help="Tokens to which it cuts a text when asked to.")
    ] = None,
    json: Json = False,
) -> None:
    """Import a tokenizer that exists, with the ids that it has: no vocabulary entry moves or is added."""
    quieten_transformers()
    from hornbook.atomic import beside
    from hornbook.families import FAMILIES
    from hornbook.tokenizers import build_fast_tokenizer, import_tokenizer, tokenizer_hash, write
    from hornbook.tokenizers.fast_tokenizer import declared_roles

    if out.exists():
        raise HornbookError(f"--out {out}: something is there already: choose a new folder")
    if family is not None and family not in FAMILIES:
        raise HornbookError(f"--for {family}: there is no such family{nearest(family, list(FAMILIES))}")
    read = import_tokenizer(source)
    if length:
        read.model_max_length = length
    if family:
        segments = "token_type_ids" in read.model_input_names
        read = build_fast_tokenizer(
            read, next(iter(FAMILIES[family].heads)), read.model_max_length, segments=segments
        )
    with beside(out, folder=True) as writing:
        write(read, writing)
    kind = type(read.backend_tokenizer.model).__name__
    roles = {
        role: {"token": token, "id": read.convert_tokens_to_ids(token)}
        for role, token in declared_roles(read).items()
    }
    if json:
        facts = {
            "out": str(out),
            "kind": kind,
            "entries": len(read),
            "roles": roles,
            "hash": tokenizer_hash(read),
        }
        print_json(facts)
    else:
        named = ", ".join(
            f"{role.removesuffix('_token')} {one['token']} at {one['id']}" for role, one in roles.items()
        )
        print(f"{kind}, {len(read):,} entries, {named or 'no special tokens'}: {out}")
