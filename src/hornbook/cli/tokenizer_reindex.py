"""`hornbook tokenizer reindex`: other ids for a tokenizer, and for a model that was trained with it."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hornbook.cli.app import Json, print_json, quieten_transformers
from hornbook.cli.tokenizer import tokenizer
from hornbook.errors import HornbookError

if TYPE_CHECKING:
    from hornbook.tokenizers import Reindexed

_SHOWN = 12
"""Tokens of each sort that are named on a screen; the JSON has all."""

_OLD_IDS = (
    "it says the old ids, and can't hold special tokens among its pieces as tokenizer.json does, which AutoTokenizer "
    "opens instead"
)


@tokenizer.command()
def reindex(
    folder: Annotated[Path, typer.Argument(help="A tokenizer's folder.")],
    out: Annotated[Path, typer.Option(help="Where the new one goes; nothing may be there.")],
    family: Annotated[
        str | None, typer.Option("--for", help="Give special tokens the places that this family wants.")
    ] = None,
    place: Annotated[
        list[str] | None,
        typer.Option(metavar="TOKEN=ID,...", help="Give special tokens these places; -1 is the last."),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW,...", help="Let an old special token live on under a new name."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Take this model along, which was trained with the old ids.")
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option(help="Tell what of these files is split differently now.")
    ] = None,
    json: Json = False,
) -> None:
    """Give a tokenizer's special tokens other ids, under the same vocabulary size.

    What stands at their places moves; where room must be made, unreachable tokens go, then the youngest. A model that
    is taken along has the same loss as before on text without the dropped tokens.
    """
    quieten_transformers()
    from hornbook.atomic import beside
    from hornbook.families.rows import move_rows, origins
    from hornbook.families.trained import open_trained
    from hornbook.tokenizers import (
        STYLES,
        build_fast_tokenizer,
        load,
        places_of,
        roles_after,
        sentinel_ids,
        template_head,
    )
    from hornbook.tokenizers import reindex as change
    from hornbook.tokenizers.fast_tokenizer import declared_roles, wrap
    from hornbook.tokenizers.folder import sentencepiece_files, write

    if out.exists():
        raise HornbookError(f"--out {out}: something is there already: choose a new folder")
    if not family and not place and not rename:
        raise HornbookError("nothing is to change: say --for FAMILY, --place TOKEN=ID or --rename OLD=NEW")
    old = load(str(folder))
    places: dict[str, int] = {}
    style = head = None
    if family:
        found = _family(family)
        style, head = STYLES[found.style], next(iter(found.heads))
        places = places_of(style, (len(sentinel_ids(old)) or 100) if head == "seq2seq" else 0)
    places |= _places(place or [])
    done = change(old, places, _names(rename or []))
    trained = None
    if model:
        trained, head = open_trained(model)
    head = head or template_head(old)
    roles = dict(style.roles) if style else roles_after(declared_roles(old), done, places)
    segments = "token_type_ids" in old.model_input_names
    dressed = build_fast_tokenizer(wrap(done.tokenizer, roles), head, old.model_max_length, segments=segments)
    moved = move_rows(trained, done.mapping, dressed) if trained is not None else None
    splits = _splits(old.backend_tokenizer, done, text) if text else None

    with beside(out, folder=True) as writing:
        if moved is not None:
            moved.save_pretrained(writing)
        write(dressed, writing, like=folder)

    names = {i: token for token, i in old.get_vocab().items()}
    origin = origins(done.mapping)
    rows = {token: names.get(origin[i]) for token, i in done.added.items()} if model else None
    facts: dict[str, Any] = {
        "out": str(out),
        "entries": len(dressed),
        "template": head,
        "roles": {
            role: {"token": token, "id": dressed.convert_tokens_to_ids(token)}
            for role, token in roles.items()
        },
        "moved": {token: {"from": before, "to": after} for token, (before, after) in done.moved.items()},
        "dropped": done.dropped,
        "added": done.added,
        "renamed": done.renamed,
        "rows": rows,
        "text": asdict(splits) if splits else None,
        "left_out": dict.fromkeys(sentencepiece_files(folder, model), _OLD_IDS),
    }
    if json:
        print_json(facts)
    else:
        _tell(facts)


def _family(name: str) -> Any:
    from hornbook.families import FAMILIES

    return FAMILIES.find(name)


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


def _splits(old: Any, done: "Reindexed", text: list[str]) -> Any:
    from hornbook.corpora import Corpus
    from hornbook.tokenizers import compare_splits

    corpus = Corpus.model_validate({"path": text, "documents": "blank-line", "heldout_fraction": 0})
    return compare_splits(old, done.tokenizer, corpus.documents_of("train"))


def _tell(facts: dict[str, Any]) -> None:
    """Say in words what has become of the tokens."""

    def listed(title: str, lines: list[str]) -> None:
        print(f"{title}: {len(lines):,}")
        for line in lines[:_SHOWN]:
            print(f"  {line}")
        if len(lines) > _SHOWN:
            print(f"  and {len(lines) - _SHOWN:,} more; --json names all")

    listed("moved", [f"{token}  {ids['from']} to {ids['to']}" for token, ids in facts["moved"].items()])
    listed(
        "dropped",
        [f"{token}  now {' '.join(parts)}" if parts else token for token, parts in facts["dropped"].items()],
    )
    rows = facts["rows"] or {}
    listed(
        "added",
        [
            f"{token}  at {i}" + (f", with the row of {rows[token]}" if rows.get(token) else "")
            for token, i in facts["added"].items()
        ],
    )
    if facts["renamed"]:
        listed("renamed", [f"{old}  now {new}" for old, new in facts["renamed"].items()])
    if facts["text"]:
        text = facts["text"]
        print(
            f"of the text's {text['words']:,} words, {text['words_changed']:,} are split differently "
            f"({text['distinct_changed']:,} of {text['distinct']:,} different ones); of its "
            f"{text['tokens_before']:,} tokens, {text['tokens_changed']:,} are no more, and there are now "
            f"{text['tokens_after']:,}"
        )
        for one in text["examples"]:
            print(f"  {one['times']:,} × {' '.join(one['before'])}  now {' '.join(one['after'])}")
    for name, why in facts["left_out"].items():
        print(f"left out: {name}, for {why}")
    print(f"the template is that of a {facts['template']} model; written to {facts['out']}")
