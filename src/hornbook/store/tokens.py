"""Tokens on disk: all documents of a corpus in one memory-mapped array, each followed by its end token."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from hornbook.atomic import beside
from hornbook.errors import Damaged, HornbookError
from hornbook.sealed import MANIFEST, find_damage, read_sealed, write_manifest
from hornbook.store.sentences import sentence_starts
from hornbook.tokenizers import Rule, count_literals, encode_at, encode_documents, standing, tokenizer_hash
from hornbook.tokenizers.record import Counted
from hornbook.tokenizers.words import batches

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

_CHUNK = 2**21
"""Characters that are tokenized at once: enough for all cores, and few enough for a small memory."""


@dataclass(frozen=True)
class TokenStore:
    """A corpus as tokens, in a folder.

    `tokens.bin` holds every document followed by the end token, with 16 bits a token if the vocabulary allows it.
    `ends.npy` holds where each document ends (after its end token), `bytes.npy` each document's size in UTF-8, for
    likelihoods per byte, and `store.json` the tokenizer's hash and the counts. Stores that were built with sentences
    also have `sentences.npy`, where each sentence begins.
    """

    folder: Path
    tokens: npt.NDArray[np.unsignedinteger]
    ends: npt.NDArray[np.int64]
    bytes: npt.NDArray[np.int64]
    sentences: npt.NDArray[np.int64] | None = None
    """Where each sentence begins, ascending, including the first of each document."""
    literals: dict[str, int] = field(default_factory=dict)
    """How often each special token is written out in the text; a store of an older version doesn't tell."""

    @classmethod
    def open(cls, folder: Path, tokenizer: PreTrainedTokenizerBase) -> "TokenStore":
        """Open a store. Raises HornbookError if another tokenizer made it, or a file is missing or incomplete."""
        if problem := find_damage(folder):
            raise Damaged(
                f"{folder}: can't read this token store ({problem}): delete the folder to make it again"
            )
        try:
            facts = json.loads((folder / "store.json").read_text("utf-8"))
            tokens = np.memmap(folder / "tokens.bin", facts["dtype"], mode="r")
            sentences = folder / "sentences.npy"
            store = cls(
                folder,
                tokens,
                np.load(folder / "ends.npy"),
                np.load(folder / "bytes.npy"),
                np.load(sentences, mmap_mode="r") if facts.get("sentences") else None,
                facts.get("literals", {}),
            )
            told, made_by = (facts["tokens"], facts["documents"]), facts["tokenizer"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Damaged(
                f"{folder}: can't read this token store ({error}): delete the folder to make it again"
            ) from error
        if told != (len(store.tokens), len(store.ends)):
            raise Damaged(
                f"{folder}: store.json tells of {told[0]:,} tokens in {told[1]:,} documents, but its files hold "
                f"{len(store.tokens):,} in {len(store.ends):,}: delete the folder to make it again"
            )
        if made_by != (used := tokenizer_hash(tokenizer)):
            raise HornbookError(
                f"{folder}: tokenizer {made_by[:12]} made these tokens, this run's is {used[:12]}, "
                "under which the same ids mean other words: use that tokenizer, or delete the folder to make it again"
            )
        return store

    def __reduce__(self) -> tuple[Any, ...]:
        # On macOS and Windows, workers are new processes. They open the files themselves: a copy of the whole corpus
        # for each worker would take much time and memory.
        arrays = (self.tokens, self.ends, self.bytes, self.sentences)
        return _reopen, (self.folder, self.literals, *map(_file_of, arrays))

    def document(self, number: int) -> npt.NDArray[np.int64]:
        """Return the tokens of one document, with its end token."""
        first = self.ends[number - 1] if number else 0
        return self.tokens[first : self.ends[number]].astype(np.int64)

    def windows(self, starts: npt.NDArray[np.int64], window: int) -> npt.NDArray[np.int64]:
        """Return `window` tokens from each start on, reading the store as a ring: shape (len(starts), window)."""
        return self.tokens[(starts[:, None] + np.arange(window)) % len(self.tokens)].astype(np.int64)

    def turned(self) -> "TokenStore":
        """Reverse the text, in memory: the last document first, each from its last token on, then an end token."""
        sizes = np.diff(self.ends, prepend=0)[::-1]
        # Reversed, each end token stands before its document. With the first one moved to the end, one follows each.
        tokens = np.roll(self.tokens[::-1], -1)
        return TokenStore(self.folder, tokens, np.cumsum(sizes), self.bytes[::-1])

    @property
    def hash(self) -> str:
        """Hash what a run learns from: the tokens, and where documents and sentences begin and end."""
        files = read_sealed(self.folder / MANIFEST, "delete the folder to make it again")["files"]
        told = sorted((name, one["sha256"]) for name, one in files.items() if name != "store.json")
        return hashlib.sha256(repr(told).encode()).hexdigest()

    @property
    def text(self) -> str:
        """The SHA-256 of the text, as `Counted` computes it."""
        return str(json.loads((self.folder / "store.json").read_text("utf-8"))["text"])

    def counts(self) -> dict[str, int]:
        """Count the documents, the bytes of their text, and the tokens with the end tokens."""
        return {"documents": len(self.ends), "bytes": int(self.bytes.sum()), "tokens": len(self.tokens)}


@dataclass(frozen=True)
class _Mapped:
    """A memory-mapped array, by its file."""

    file: str
    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]


def _file_of(array: Any) -> Any:
    """Describe a memory-mapped array by its file; leave others as they are."""
    if not isinstance(array, np.memmap):
        return array
    return _Mapped(str(array.filename), array.dtype, array.offset, array.shape)


def _reopen(folder: Path, literals: dict[str, int], *arrays: Any) -> TokenStore:
    """Open another process's store in this one."""
    opened = [
        np.memmap(one.file, one.dtype, "r", one.offset, one.shape) if isinstance(one, _Mapped) else one
        for one in arrays
    ]
    tokens, ends, sizes, sentences = opened
    return TokenStore(folder, tokens, ends, sizes, sentences, literals)


def build(
    folder: Path,
    documents: Iterable[str],
    tokenizer: PreTrainedTokenizerBase,
    end_id: int,
    progress: Callable[[int], None] | None = None,
    sentences: bool = False,
    special: Rule = "text",
) -> TokenStore:
    """Tokenize documents into a new store, on all cores; `progress` is called with the bytes of each batch.

    `sentences` also stores where sentences begin, which takes longer. Special tokens that are written out in the text
    are counted; the rule `special` says what they are. Memory grows only by some bytes for each document and sentence.
    Raises HornbookError when the disk is full; then, as after a kill, no incomplete store is left.
    """
    # The highest id decides, since a vocabulary may have gaps.
    highest = max(tokenizer.get_vocab().values())
    dtype = np.dtype(np.uint16 if highest < 2**16 else np.uint32)
    lengths: list[int] = []
    sizes: list[int] = []
    starts = [np.empty(0, np.int64)]
    total = 0

    stands, literals = standing(tokenizer, special), Counter[str]()
    counted = Counted(documents)

    def encode(texts: list[str]) -> tuple[list[str], list[list[int]], npt.NDArray[np.int64]]:
        literals.update(count_literals(tokenizer, texts))
        if sentences:
            return texts, *_with_sentences(tokenizer, texts, stands)
        return texts, encode_documents(tokenizer, texts, stands), np.empty(0, np.int64)

    with beside(folder, folder=True) as new:
        with (new / "tokens.bin").open("wb") as file:
            for texts, ids, begun in _ahead(batches(counted, most=_CHUNK), encode):
                starts.append(total + begun)
                for one in ids:
                    one.append(end_id)
                lengths += map(len, ids)
                tokens = np.fromiter(chain.from_iterable(ids), dtype)
                file.write(tokens.data)
                total += len(tokens)
                sizes += [len(text.encode("utf-8")) for text in texts]
                if progress:
                    progress(sum(sizes[-len(texts) :]))
        np.save(new / "ends.npy", np.cumsum(lengths, dtype=np.int64))
        np.save(new / "bytes.npy", np.array(sizes, np.int64))
        if sentences:
            np.save(new / "sentences.npy", np.concatenate(starts))
        facts = {
            "tokenizer": tokenizer_hash(tokenizer),
            "end_id": end_id,
            "dtype": dtype.name,
            "tokens": total,
            "documents": len(lengths),
            "sentences": sentences,
            "literals": dict(sorted(literals.items())),
            "text": counted.fingerprint,
        }
        (new / "store.json").write_text(json.dumps(facts, indent=2), "utf-8")
        write_manifest(new)
    return TokenStore.open(folder, tokenizer)


def _with_sentences(
    tokenizer: PreTrainedTokenizerBase, texts: list[str], stands: list[str]
) -> tuple[list[list[int]], npt.NDArray[np.int64]]:
    """Encode documents, and find where their sentences begin, counted from the first token of the first document."""
    encoded = encode_at(tokenizer, texts, [sentence_starts(text) for text in texts], stands)
    starts, first = [], 0
    for ids, places in encoded:
        starts.append(first + np.unique([0, *(place for place in places if place < len(ids))]))
        first += len(ids) + 1
    return [ids for ids, _ in encoded], np.concatenate(starts)


def _ahead(items: Iterable[_Item], make: Callable[[_Item], _Made]) -> Iterator[_Made]:
    """Map items in a thread, one item ahead of the caller."""
    with ThreadPoolExecutor(1) as thread:
        before: Future[_Made] | None = None
        for item in items:
            coming = thread.submit(make, item)
            if before:
                yield before.result()
            before = coming
        if before:
            yield before.result()
