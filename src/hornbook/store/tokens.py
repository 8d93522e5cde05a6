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
from hornbook.corpora.tally import Tally
from hornbook.errors import Damaged, HornbookError
from hornbook.sealed import MANIFEST, find_damage, read_sealed, write_manifest
from hornbook.store.marked import Marked, encode_marked
from hornbook.tokenizers import Rule, count_literals, encode_documents, standing, tokenizer_hash
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
    likelihoods per byte, `hashes.npy` a hash of its text, and `store.json` the tokenizer's hash and the counts. Stores
    that were built with sentences also have `sentences.npy`, where each sentence begins, and those that were built with
    words `words.bin`, a byte for each token.
    """

    folder: Path
    tokens: npt.NDArray[np.unsignedinteger]
    ends: npt.NDArray[np.int64]
    bytes: npt.NDArray[np.int64]
    sentences: npt.NDArray[np.int64] | None = None
    """Where each sentence begins, ascending, including the first of each document."""
    literals: dict[str, int] = field(default_factory=dict)
    """How often each special token is written out in the text; a store of an older version doesn't tell."""
    words: npt.NDArray[np.bool_] | None = None
    """Whether a word begins with each token."""
    hashes: npt.NDArray[np.uint64] | None = None
    """A hash of each document's text; a store of an older version has none."""
    found: dict[str, Any] = field(default_factory=dict)
    """What the text is made of (`scripts`, `odd`), and how many tokens are `unknown`; older stores don't tell."""

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
            sentences, hashes = folder / "sentences.npy", folder / "hashes.npy"
            store = cls(
                folder,
                tokens,
                np.load(folder / "ends.npy"),
                np.load(folder / "bytes.npy"),
                np.load(sentences, mmap_mode="r") if facts.get("sentences") else None,
                facts.get("literals", {}),
                np.memmap(folder / "words.bin", bool, mode="r") if facts.get("words") else None,
                np.load(hashes, mmap_mode="r") if hashes.exists() else None,
                facts.get("found", {}),
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
        arrays = (self.tokens, self.ends, self.bytes, self.sentences, self.words)
        return _reopen, (self.folder, self.literals, *map(_file_of, arrays))

    def document(self, number: int) -> npt.NDArray[np.int64]:
        """Return the tokens of one document, with its end token."""
        first = self.ends[number - 1] if number else 0
        return self.tokens[first : self.ends[number]].astype(np.int64)

    def windows(self, starts: npt.NDArray[np.int64], window: int) -> npt.NDArray[np.int64]:
        """Return `window` tokens from each start on, reading the store as a ring: shape (len(starts), window)."""
        return self.tokens[(starts[:, None] + np.arange(window)) % len(self.tokens)].astype(np.int64)

    def word_windows(self, starts: npt.NDArray[np.int64], window: int) -> npt.NDArray[np.bool_]:
        """Tell with which tokens of `windows` a word begins: the same shape."""
        assert self.words is not None, "the store was built without words"
        return self.words[(starts[:, None] + np.arange(window)) % len(self.words)]

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
    tokens, ends, sizes, sentences, words = opened
    return TokenStore(folder, tokens, ends, sizes, sentences, literals, words)


def build(
    folder: Path,
    documents: Iterable[str],
    tokenizer: PreTrainedTokenizerBase,
    end_id: int,
    progress: Callable[[int], None] | None = None,
    sentences: bool = False,
    special: Rule = "text",
    words: bool = False,
) -> TokenStore:
    """Tokenize documents into a new store, on all cores; `progress` is called with the bytes of each batch.

    `sentences` and `words` also store where these begin, which takes longer. Special tokens that are written out in
    the text are counted; the rule `special` says what they are. Memory grows only by some bytes for each document and
    sentence.
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

    tally, unknown = Tally(), 0

    def encode(texts: list[str]) -> tuple[list[str], list[list[int]], list[Marked]]:
        literals.update(count_literals(tokenizer, texts))
        tally.add(texts)
        if sentences or words:
            marked = encode_marked(tokenizer, texts, stands, sentences, words)
            return texts, [one.ids for one in marked], marked
        return texts, encode_documents(tokenizer, texts, stands), []

    with beside(folder, folder=True) as new:
        with (new / "tokens.bin").open("wb") as file, (new / "words.bin").open("wb") as begins:
            for texts, ids, marked in _ahead(batches(counted, most=_CHUNK), encode):
                starts.append(total + _joined(marked))
                if words:
                    begins.write(b"".join(one.words.tobytes() + b"\1" for one in marked))
                for one in ids:
                    one.append(end_id)
                lengths += map(len, ids)
                tokens = np.fromiter(chain.from_iterable(ids), dtype)
                file.write(tokens.data)
                total += len(tokens)
                unknown += int(np.count_nonzero(tokens == tokenizer.unk_token_id))
                sizes += [len(text.encode("utf-8")) for text in texts]
                if progress:
                    progress(sum(sizes[-len(texts) :]))
        np.save(new / "ends.npy", np.cumsum(lengths, dtype=np.int64))
        np.save(new / "bytes.npy", np.array(sizes, np.int64))
        np.save(new / "hashes.npy", tally.hashes)
        if sentences:
            np.save(new / "sentences.npy", np.concatenate(starts))
        if not words:
            (new / "words.bin").unlink()
        facts = {
            "tokenizer": tokenizer_hash(tokenizer),
            "end_id": end_id,
            "dtype": dtype.name,
            "tokens": total,
            "documents": len(lengths),
            "sentences": sentences,
            "words": words,
            "found": {"scripts": tally.scripts, "odd": tally.odd, "unknown": unknown},
            "literals": dict(sorted(literals.items())),
            "text": counted.fingerprint,
        }
        (new / "store.json").write_text(json.dumps(facts, indent=2), "utf-8")
        write_manifest(new)
    return TokenStore.open(folder, tokenizer)


def _joined(marked: list[Marked]) -> npt.NDArray[np.int64]:
    """Count the first tokens of sentences from the first token of the first document; an end token follows each."""
    first, found = 0, [np.empty(0, np.int64)]
    for one in marked:
        found.append(first + one.sentences)
        first += len(one.ids) + 1
    return np.concatenate(found)


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
