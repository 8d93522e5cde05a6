"""`hornbook tokenizer train`: a tokenizer from text, by itself."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli.app import Json, print_json, quieten_transformers
from hornbook.cli.tokenizer import tokenizer
from hornbook.errors import HornbookError, nearest


@tokenizer.command()
def train(
    out: Annotated[Path, typer.Option(help="Where it goes; nothing may be there.")],
    corpus_path: Annotated[
        list[str] | None, typer.Option(help="Files or globs; by default Python's own manuals.")
    ] = None,
    documents: Annotated[
        str, typer.Option(help="Where documents end in text files: file, blank-line, line or separator.")
    ] = "blank-line",
    family: Annotated[
        str, typer.Option("--for", help="The family whose style, kind and template it gets.")
    ] = "gpt_neo",
    kind: Annotated[str | None, typer.Option(help="bpe, unigram or wordpiece, instead.")] = None,
    style: Annotated[str | None, typer.Option(help="Another style of special tokens.")] = None,
    vocab_size: Annotated[int, typer.Option(help="Entries, special tokens included.")] = 8192,
    sentinels: Annotated[int | None, typer.Option(help="How many <extra_id_*>; 100 for T5.")] = None,
    lowercase: Annotated[bool, typer.Option(help="Lower-case all text.")] = False,
    normalize: Annotated[str, typer.Option(help="none, nfc or nfkc.")] = "nfc",
    min_frequency: Annotated[int, typer.Option(help="How often what is learnt must occur.")] = 2,
    length: Annotated[int, typer.Option(min=1, help="Tokens to which it cuts a text when asked to.")] = 512,
    json: Json = False,
) -> None:
    """Train a tokenizer whose special tokens stand where a family wants them, so that none must be moved."""
    quieten_transformers()
    from pydantic import ValidationError

    from hornbook.atomic import beside
    from hornbook.corpora import Corpus
    from hornbook.families import FAMILIES
    from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, tokenizer_hash, write
    from hornbook.tokenizers import train as learn
    from hornbook.training.progress import Reporter

    if out.exists():
        raise HornbookError(f"--out {out}: something is there already: choose a new folder")
    if style is not None and style not in STYLES:
        raise HornbookError(f"--style {style}: there is no such style{nearest(style, list(STYLES))}")
    chosen = FAMILIES.find(family)
    head = next(iter(chosen.heads))
    look = STYLES[style or chosen.style]
    given: dict[str, Any] = {
        "kind": kind or chosen.kind,
        "style": style,
        "vocab_size": vocab_size,
        "sentinels": sentinels,
        "lowercase": lowercase,
        "normalize": normalize,
        "min_frequency": min_frequency,
    }
    try:
        options = TokenizerOptions.model_validate(given)
        corpus = Corpus.model_validate({"path": corpus_path, "documents": documents, "heldout_fraction": 0})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", "-") if first["loc"] else "corpus-path"
        raise HornbookError(f"--{name} {first['input']}: {first['msg']}") from error

    report = Reporter()
    with report.counting("Training the tokenizer", "bytes") as advance:
        trained = learn(corpus.documents_of("train"), options, look, 100 * (head == "seq2seq"), advance)
    dressed = build_fast_tokenizer(trained, head, length, look)
    with beside(out, folder=True) as writing:
        write(dressed, writing)
    if json:
        print_json(
            {"out": str(out), "kind": options.kind, "entries": len(dressed), "hash": tokenizer_hash(dressed)}
        )
    else:
        report.say(f"{options.kind}, {len(dressed):,} entries, template of a {head} model: {out}")
