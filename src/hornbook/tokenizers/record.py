"""How a tokenizer was trained, as its folder tells it: in a record for programs, and a model card for the hub."""

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData
from transformers import PreTrainedTokenizerBase

from hornbook.gate import read_object
from hornbook.launch import command
from hornbook.tokenizers.identity import tokenizer_hash

NAME = "tokenizer_training.json"
"""The record's file: a name that transformers doesn't read."""
_LIBRARIES = ("hornbook", "tokenizers", "sentencepiece", "transformers")


class Counted:
    """Counts and hashes documents while the trainer reads them."""

    def __init__(self, documents: Iterable[str]) -> None:
        self.documents, self.bytes = 0, 0
        self._source, self._hash = documents, sha256()

    def __iter__(self) -> Iterator[str]:
        for document in self._source:
            raw = document.encode("utf-8", "surrogatepass")
            self.documents += 1
            self.bytes += len(raw)
            self._hash.update(b"%d\n" % len(raw) + raw)
            yield document

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the documents read so far: of their text alone, so it is the same on every machine."""
        return self._hash.hexdigest()


def make_record(
    tokenizer: PreTrainedTokenizerBase, corpus: str, read: Counted, options: dict[str, Any]
) -> dict[str, Any]:
    """Say what a tokenizer was trained on, with which options, libraries and command."""
    return {
        "corpus": {
            "name": corpus,
            "fingerprint": read.fingerprint,
            "documents": read.documents,
            "bytes": read.bytes,
        },
        "options": options,
        "hash": tokenizer_hash(tokenizer),
        "versions": {name: version(name) for name in _LIBRARIES},
        "command": command(),
    }


def make_derived_record(
    tokenizer: PreTrainedTokenizerBase, source: Path, before: PreTrainedTokenizerBase
) -> dict[str, Any]:
    """Say which tokenizer another was made from: what that one was trained on, if known, and its folder and hash."""
    known = (read_record(source) if source.is_dir() else None) or {}
    return {
        "corpus": known.get("corpus"),
        "options": known.get("options"),
        "made_from": {"source": str(source), "hash": tokenizer_hash(before), "command": known.get("command")},
        "hash": tokenizer_hash(tokenizer),
        "versions": {name: version(name) for name in _LIBRARIES},
        "command": command(),
    }


def save_record(folder: Path, record: Mapping[str, Any] | None) -> None:
    """Write the record alone into a folder, such as that of a model with its tokenizer; nothing if there is none."""
    if record is not None:
        (folder / NAME).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")


def write_record(folder: Path, tokenizer: PreTrainedTokenizerBase, record: dict[str, Any]) -> None:
    """Write the record, and the model card README.md, into a tokenizer's folder."""
    save_record(folder, record)
    (folder / "README.md").write_text(_card(tokenizer, record), "utf-8")


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read a folder's record; None if it has none. Raises HornbookError for a record that isn't a JSON object."""
    path = folder / NAME
    return read_object(path) if path.exists() else None


def describe_record(record: Mapping[str, Any] | None) -> dict[str, str | None]:
    """Describe a record for a table, with None for what it doesn't say."""
    record = record or {}
    corpus, versions = record.get("corpus") or {}, record.get("versions") or {}
    made = record.get("made_from") or {}
    return {
        "trained on": corpus.get("name"),
        "its text": "{bytes:,} bytes, {documents:,} documents".format_map(corpus) if corpus else None,
        "its SHA-256": corpus.get("fingerprint"),
        "by": ", ".join(f"{name} {release}" for name, release in versions.items()) or None,
        "made from": "{source} ({hash})".format_map(made) if made else None,
        "with": record.get("command"),
    }


def _card(tokenizer: PreTrainedTokenizerBase, record: dict[str, Any]) -> str:
    """Write a model card: YAML for the hub, then text for people."""
    head = ModelCardData(library_name="transformers", tags=["tokenizer", "hornbook"]).to_yaml()
    rows = "\n".join(f"| {name} | `{text}` |" for name, text in describe_record(record).items() if text)
    kind = type(tokenizer.backend_tokenizer.model).__name__
    return (
        f"---\n{head}\n---\n\n# A {kind} tokenizer of {len(tokenizer):,} entries\n\n"
        f"{'Made' if record.get('made_from') else 'Trained'} with Hornbook. "
        "It opens with `AutoTokenizer.from_pretrained`.\n\n"
        f"| | |\n|---|---|\n{rows}\n\n"
        f"The SHA-256 is that of the text that was read. `{NAME}` holds the same facts for programs.\n"
    )
