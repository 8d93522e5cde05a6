"""`hornbook tokenizer reindex`: other ids for a tokenizer, and for a model that was trained with it."""

import re
from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json
from hornbook.cli.output import print_json
from hornbook.cli.tokenizer import tokenizer
from hornbook.errors import HornbookError


@tokenizer.command()
def reindex(
    folder: Annotated[Path, typer.Argument(readable=False, help="A tokenizer's folder.")],
    out: Annotated[Path, typer.Option(help="Where to write the new one; nothing may be there yet.")],
    family: Annotated[
        str | None, typer.Option("--for", help="Give special tokens the ids that this family wants.")
    ] = None,
    place: Annotated[
        list[str] | None,
        typer.Option(metavar="TOKEN=ID,...", help="Give special tokens these ids; -1 is the last."),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW,...", help="Give an old special token a new name."),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="TOKEN", help="Remove this special token, and its roles.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="A model trained with the old ids; write a copy with the new ones.")
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option(help="Tell which words of these files are split differently now.")
    ] = None,
    json: Json = False,
) -> None:
    """Give a tokenizer's special tokens other ids; the vocabulary size stays the same.

    A special token whose roles all go to others is replaced by one of these. No other is removed unless --drop names
    it. Tokens whose ids are given away move. If there are too few ids, unreachable tokens are removed first, then those
    learnt last. The copy of a model has the same loss as the model on text without the dropped tokens.
    """
    from hornbook.tokenizer import reindex as change
    from hornbook.tokenizers.reindex_report import describe

    facts = change(folder, out, family, _places(place or []), _names(rename or []), model, text, drop or [])
    if json:
        print_json(facts)
    else:
        print("\n".join(describe(facts)))


def _places(given: list[str]) -> dict[str, int]:
    """Read TOKEN=ID,...; a token may hold commas and equals signs."""
    places: dict[str, int] = {}
    for one in given:
        if not re.fullmatch(r"(.+?=-?\d+)(,.+?=-?\d+)*", one):
            raise HornbookError(f"--place {one}: write TOKEN=ID,TOKEN=ID, such as '<pad>=0,<mask>=-1'")
        for token, place in re.findall(r"(.+?)=(-?\d+)(?:,|$)", one):
            if token in places:
                raise HornbookError(f"--place {token}: it is given {places[token]} and {place}: keep one")
            places[token] = int(place)
    return places


def _names(given: list[str]) -> dict[str, str]:
    """Read OLD=NEW,..."""
    names: dict[str, str] = {}
    for pair in (pair for one in given for pair in one.split(",")):
        old, equals, new = pair.partition("=")
        if not (old and new) or "=" in new or old in names:
            raise HornbookError(
                f"--rename {pair}: write OLD=NEW, once for each, such as '<|endoftext|>=</s>'"
            )
        names[old] = new
    return names
