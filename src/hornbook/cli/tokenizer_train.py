"""`hornbook tokenizer train`: train a tokenizer on text."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json
from hornbook.cli.output import print_json
from hornbook.cli.tokenizer import tokenizer
from hornbook.console import make_reporter


@tokenizer.command()
def train(
    out: Annotated[Path, typer.Option(help="Where to write it; nothing may be there yet.")],
    corpus_path: Annotated[
        list[str] | None, typer.Option(help="Files or globs; by default Python's own manuals.")
    ] = None,
    documents: Annotated[
        str, typer.Option(help="Where documents end in text files: file, blank-line, line or separator.")
    ] = "blank-line",
    family: Annotated[
        str | None,
        typer.Option(
            "--for",
            help="The family whose style, kind and template it gets; by default a style for all, without a template.",
        ),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="bpe, unigram or wordpiece, instead of the family's.")
    ] = None,
    style: Annotated[
        str | None, typer.Option(help="A style of special tokens, instead of the family's.")
    ] = None,
    vocab_size: Annotated[int, typer.Option(help="Entries, special tokens included.")] = 8192,
    sentinels: Annotated[int | None, typer.Option(help="How many <extra_id_*>; 100 for T5.")] = None,
    lowercase: Annotated[bool, typer.Option(help="Lower-case all text.")] = False,
    normalize: Annotated[str, typer.Option(help="none, nfc or nfkc.")] = "nfc",
    min_frequency: Annotated[int, typer.Option(help="How often a merge or character must occur.")] = 2,
    length: Annotated[
        int, typer.Option(min=1, help="Tokens to which it truncates a text, if truncation is on.")
    ] = 512,
    json: Json = False,
) -> None:
    """Train a tokenizer whose special tokens have the ids that a family wants, so that none must be moved."""
    from hornbook.tokenizer import train as learn

    report = make_reporter()
    facts = learn(
        [Path(one) for one in corpus_path] if corpus_path else None,
        out,
        documents,
        family,
        length,
        report,
        kind=kind,
        style=style,
        vocab_size=vocab_size,
        sentinels=sentinels,
        lowercase=lowercase,
        normalize=normalize,
        min_frequency=min_frequency,
    )
    if json:
        print_json({name: facts[name] for name in ("out", "kind", "entries", "hash")})
    else:
        report.say(
            f"{facts['kind']}, {facts['entries']:,} entries, template of a {facts['template']} model: {out}"
        )
