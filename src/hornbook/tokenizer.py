"""Train, import or re-index a tokenizer for a family, into a new folder. The parts are in `tokenizers/`.

Each function writes a complete folder that AutoTokenizer opens, or none. Raises HornbookError if the folder already
exists.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from transformers import PreTrainedTokenizerBase

from hornbook.atomic import beside, check_new
from hornbook.console import reporter
from hornbook.corpora import Corpus
from hornbook.corpora.given import Texts, documents_in
from hornbook.errors import HornbookError, nearest
from hornbook.families import FAMILIES, Family
from hornbook.families.rows import move_rows, origins
from hornbook.loading.model import open_trained
from hornbook.objectives import natural_objective
from hornbook.quiet import quieten_transformers
from hornbook.reporter import Reporter
from hornbook.tokenizers import (
    STYLES,
    Template,
    TokenizerOptions,
    build_fast_tokenizer,
    compare_splits,
    describe_smaller,
    import_tokenizer,
    load,
    places_of,
    sentinel_ids,
    template_of,
    tokenizer_hash,
    write,
)
from hornbook.tokenizers import reindex as change
from hornbook.tokenizers import train as learn
from hornbook.tokenizers.fast_tokenizer import declared_roles, wrap
from hornbook.tokenizers.folder import sentencepiece_files
from hornbook.tokenizers.inspection import Inspection
from hornbook.tokenizers.inspection import inspect as look
from hornbook.tokenizers.record import (
    Counted,
    make_derived_record,
    make_record,
    read_record,
    save_record,
    write_record,
)
from hornbook.tokenizers.roles import heirs, roles_after, roles_given

SENTINELS = 100
"""How many sentinels a T5 gets by default, as published."""

SENTENCE = "Once upon a time, there was a brave little fox who couldn't count to 1,000."
"""What a tokenizer is shown to split."""

_OLD_IDS = (
    "it holds the old ids, and can't have special tokens among its pieces, as tokenizer.json can; AutoTokenizer opens "
    "tokenizer.json instead"
)


def train(
    corpus: Texts | None = None,
    out: Path | str | None = None,
    documents: str = "blank-line",
    family: str | None = None,
    length: int = 512,
    report: Reporter | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Train a tokenizer whose special tokens have the ids that a family wants, so that none must be moved.

    `corpus` are documents, read once, or files, which `documents` cuts; without it, the manuals that Python carries.
    `out` must be given. Without a `family`, the tokenizer gets the style that serves all families, and no template,
    as for a causal model. `options` are those of a recipe's tokenizer section: kind, style, vocab_size, sentinels, ...
    A record and a model card in the folder say what it was trained on. Returns out, kind, entries, template and hash.
    """
    quieten_transformers()
    if out is None:
        raise HornbookError("no folder is given for the tokenizer: name a new one with out=")
    out = Path(out)
    check_new(out, "--out")
    given = documents_in(corpus) if corpus is not None else None
    files = given if isinstance(given, list) else None
    style = options.get("style")
    if style is not None and style not in STYLES:
        raise HornbookError(f"--style {style}: there is no such style{nearest(style, list(STYLES))}")
    chosen = FAMILIES.find(family) if family else None
    look = STYLES[style or (chosen.style if chosen else "shared")]
    template = _template(chosen) if chosen else "causal"
    kind = options.get("kind") or (chosen.kind if chosen else "bpe")
    try:
        parsed = TokenizerOptions.model_validate(options | {"kind": kind})
        source = Corpus.model_validate({"path": files, "documents": documents, "heldout_fraction": 0})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", "-") if first["loc"] else "corpus-path"
        raise HornbookError(f"--{name} {first['input']}: {first['msg']}") from error
    ours = given is not None and not isinstance(given, list)
    texts = filter(None, (one.strip() for one in given or ())) if ours else source.documents_of("train")
    report = report or reporter()
    with report.counting("Training the tokenizer", "bytes") as advance:
        read = Counted(texts)
        trained = learn(read, parsed, look, SENTINELS * (template == "seq2seq"), advance)
    built = build_fast_tokenizer(trained, template, length, look)
    if smaller := describe_smaller(parsed, len(built)):
        report.warn(smaller.replace("tokenizer.vocab_size", "--vocab-size"))
    name = source.describe() if not ours else f"{read.documents:,} texts given from Python"
    with beside(out, folder=True) as writing:
        write(built, writing)
        write_record(writing, built, make_record(built, name, read, parsed.model_dump(exclude={"path"})))
    return {
        "out": str(out),
        "kind": parsed.kind,
        "entries": len(built),
        "template": template,
        "hash": tokenizer_hash(built),
    }


def import_(source: Path, out: Path, family: str | None = None, length: int | None = None) -> dict[str, Any]:
    """Import an existing tokenizer with the ids that it has: no vocabulary entry moves or is added.

    `source` is a SentencePiece .model, vocab.txt, vocab.json, tokenizer.json or a folder. With a `family`, the
    tokenizer gets that family's template. Returns out, kind, entries, roles and hash.
    """
    quieten_transformers()
    check_new(out, "--out")
    if family is not None and family not in FAMILIES:
        raise HornbookError(f"--for {family}: there is no such family{nearest(family, list(FAMILIES))}")
    read = given = import_tokenizer(source)
    if length:
        read.model_max_length = length
    if family:
        template, segments = _template(FAMILIES[family]), "token_type_ids" in read.model_input_names
        read = build_fast_tokenizer(read, template, read.model_max_length, segments=segments)
    with beside(out, folder=True) as writing:
        write(read, writing)
        write_record(writing, read, make_derived_record(read, source, given))
    return {
        "out": str(out),
        "kind": type(read.backend_tokenizer.model).__name__,
        "entries": len(read),
        "roles": _roles(read, declared_roles(read)),
        "hash": tokenizer_hash(read),
    }


def inspect(
    folder: Path | str,
    other: Path | str | None = None,
    text: Texts | None = None,
    sentence: str | None = None,
) -> dict[str, Inspection]:
    """Inspect a tokenizer's folder, or two side by side: what each is, by its folder.

    `text` are documents, or paths of files with an empty line between documents, to measure the tokenizers on;
    `sentence` is split by each.
    """
    quieten_transformers()
    given = None if text is None else documents_in(text)
    texts = None if given is None or isinstance(given, list) else list(given)
    files = {"path": given, "documents": "blank-line", "heldout_fraction": 0}

    def documents() -> Iterable[str] | None:
        return (
            texts
            if texts is not None or given is None
            else Corpus.model_validate(files).documents_of("train")
        )

    folders = [folder] if other is None else [folder, other]
    return {
        str(one): look(load(str(one)), sentence or SENTENCE, documents(), read_record(Path(one)))
        for one in folders
    }


def reindex(
    folder: Path,
    out: Path,
    family: str | None = None,
    place: Mapping[str, int] | None = None,
    rename: Mapping[str, str] | None = None,
    model: Path | None = None,
    text: Sequence[str] | None = None,
    drop: Collection[str] = (),
) -> dict[str, Any]:
    """Give a tokenizer's special tokens other ids; the vocabulary size stays the same.

    `place` gives tokens their ids (-1 is the last), and a `family` gives the ids that it wants. If all roles of a
    special token go to others, a new one among these replaces it and keeps its embedding row; `rename` does this for
    other tokens. The rest stay, unless `drop` names them. Tokens whose ids are given away move to other ids. If there
    are too few ids, unreachable tokens are removed first, then those learnt last. A `model` is copied with the new ids.
    Its loss stays the same on text without dropped tokens and unknown words. (An unknown word of WordPiece may become
    known if a piece is dropped that matched its beginning, but left a rest that no piece matched.) With `text`, files,
    the result says which of their words are split differently. Returns what was moved, dropped, added and renamed.
    """
    quieten_transformers()
    check_new(out, "--out")
    if not family and not place and not rename and not drop:
        raise HornbookError(
            "no change is asked for: give --for FAMILY, --place TOKEN=ID, --rename OLD=NEW or --drop TOKEN"
        )
    old = load(str(folder))
    places: dict[str, int] = {}
    style = template = None
    if family:
        found = FAMILIES.find(family)
        style, template = STYLES[found.style], _template(found)
        places = places_of(style, (len(sentinel_ids(old)) or SENTINELS) if template == "seq2seq" else 0)
    places |= place or {}
    declared, given = declared_roles(old), dict(style.roles) if style else roles_given(places)
    rename = dict(rename or {})
    inherited = heirs(
        {role: token for role, token in declared.items() if token not in {*rename, *drop}},
        {role: token for role, token in given.items() if token not in rename.values()},
        old.get_vocab(),
    )
    done = change(old, places, inherited | rename, drop)
    trained = None
    if model:
        trained, head = open_trained(model)
        template = natural_objective(head).template
    template = template or template_of(old)
    roles = roles_after(declared, given, done)
    segments = "token_type_ids" in old.model_input_names
    built = build_fast_tokenizer(
        wrap(done.tokenizer, roles), template, old.model_max_length, segments=segments
    )
    moved = move_rows(trained, done.mapping, built) if trained is not None else None
    splits = None
    if text:
        corpus = Corpus.model_validate({"path": text, "documents": "blank-line", "heldout_fraction": 0})
        splits = compare_splits(old.backend_tokenizer, done.tokenizer, corpus.documents_of("train"))

    with beside(out, folder=True) as writing:
        if moved is not None:
            moved.save_pretrained(writing)
        write(built, writing, like=folder)
        facts = make_derived_record(built, folder, old)
        save_record(writing, facts) if moved is not None else write_record(writing, built, facts)

    names = {i: token for token, i in old.get_vocab().items()}
    origin = origins(done.mapping)
    return {
        "out": str(out),
        "entries": len(built),
        "template": template,
        "roles": _roles(built, roles),
        "moved": {token: {"from": before, "to": after} for token, (before, after) in done.moved.items()},
        "dropped": done.dropped,
        "added": done.added,
        "renamed": done.renamed,
        "rows": {token: names.get(origin[i]) for token, i in done.added.items()} if model else None,
        "text": asdict(splits) if splits else None,
        "left_out": dict.fromkeys(sentencepiece_files(folder, model), _OLD_IDS),
    }


def _template(family: Family) -> Template:
    return natural_objective(next(iter(family.heads))).template


def _roles(tokenizer: PreTrainedTokenizerBase, roles: Mapping[str, str]) -> dict[str, Any]:
    return {
        role: {"token": token, "id": tokenizer.convert_tokens_to_ids(token)} for role, token in roles.items()
    }
