"""Where text comes from: files, a data set, or the manuals that every CPython carries."""

import codecs
import itertools
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from hornbook.corpora import files, hub, manuals
from hornbook.corpora.cuts import CUTS, Cut
from hornbook.corpora.split import is_heldout
from hornbook.errors import HornbookError
from hornbook.section import Section

Part = Literal["train", "heldout"]

_BEGINNING, _BEGINNINGS = 128, 2048
"""Characters of a document, and of all documents, that checks look at."""
_UNITS: dict[files.Format, str] = {"jsonl": "record", "csv": "row", "parquet": "row", "arrow": "row"}
"""What a document is in files that aren't text."""


class GivenTexts(Section):
    """Documents that a Python program gave, as a run's recipe tells of them."""

    documents: int = Field(ge=0, le=10**15)
    """How many there were."""
    hash: str
    """The hash of all of them; their file in the cache has it as its name."""


class Corpus(Section):
    """Documents to train on (`train`) and documents to evaluate on (`heldout`).

    Without `path` and `dataset` it is the embedded corpus, about 2 MB of English from the Python manuals.
    """

    path: str | list[str] | None = None
    """Files or globs. The suffix tells the format: .jsonl, .json (a record a line, or one array), .csv, .tsv, .parquet,
    .arrow, anything else is text; all but the last two may be compressed: gzip, bzip2, xz, Zstandard, zip."""
    format: files.Format | None = None
    """The files' format, if their suffix doesn't tell it."""
    documents: Cut = "file"
    """Where a text file's documents end: at its end, at blank lines, at every line, or at `separator`."""
    separator: str = Field("<|endoftext|>", min_length=1)
    """The text between two documents, with `documents: separator`."""
    field: str = "text"
    """The field or column that holds the text, `doc.text` one within another; text files have none."""
    encoding: str = "utf-8"
    """How text, JSONL and CSV files are encoded."""
    dataset: str | None = None
    """A data set on the Hugging Face Hub, such as noanabeshima/TinyStoriesV2, roneneldan/TinyStories or
    oscar-corpus/OSCAR-2301, or a local folder of data files, or one that `save_to_disk` wrote."""
    config: str | None = None
    """The data set's configuration, if it has several (OSCAR: the language)."""
    split: str = "train"
    """The data set's split to train on."""
    streaming: bool = False
    """Read the data set over the network as training needs it, instead of downloading it first."""
    heldout: str | None = None
    """Held-out files (path or glob, of the same format), or the name of the data set's held-out split. By default,
    documents are held out by their content."""
    heldout_fraction: float = Field(0.05, ge=0, lt=1)
    """The share of documents that is held out if `heldout` is not given; the same documents in any order."""
    special_tokens: Literal["text", "special"] = "text"
    """What special tokens are that are written out in the text, such as `</s>`: text like any other, or themselves. A
    dense token always stands for itself. How many there are is told when the text is read."""
    given: GivenTexts | None = None
    """What a Python program gave, as `hornbook.train(..., corpus=texts)` writes it down: the documents are kept in the
    cache, at `path`. Without that file, such a recipe runs again only where the program gives the same texts."""
    near_duplicates: float | None = Field(None, gt=0, lt=1)
    """Also count the documents to train on that are like an earlier one: the share of runs of five tokens that they
    have in common, such as 0.8. It needs `pip install hornbook[near]`, and changes nothing in the corpus."""
    limit: int | None = Field(None, gt=0, le=10**15)
    """Read at most so many documents of the source, before any are held out; `heldout` is always read whole."""

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
            codecs.getincrementaldecoder(encoding)
        except LookupError as error:
            raise ValueError(f"{encoding!r} is not a text encoding that Python knows; try utf-8") from error
        return encoding

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.path is not None and self.dataset is not None:
            raise ValueError(
                f"path ({self.path}) and dataset ({self.dataset}) exclude each other; keep one of them"
            )
        if self.path == [] or self.path == "":
            raise ValueError("path names no file; name one, or leave it out for the embedded corpus")
        if self.given and not isinstance(self.path, str):
            raise ValueError(
                "given says which texts a program gave, and path where they are kept: name one file"
            )
        if self.heldout is not None and self.path is None and self.dataset is None:
            raise ValueError(
                f"heldout ({self.heldout}) belongs to a path or a dataset, and neither is named; name one"
            )
        return self

    def documents_of(self, part: Part) -> Iterator[str]:
        """Yield the documents of a part, lazily and in a fixed order: stripped, without empty ones.

        Raises HornbookError if the source can't be found, read or decoded; and, at the end, if the part is empty.
        """
        if self.heldout is not None:
            yield from self._source(part)
            return
        total = kept = 0
        for document in self._source("train"):
            total += 1
            if is_heldout(document, self.heldout_fraction) == (part == "heldout"):
                kept += 1
                yield document
        if not kept:
            raise HornbookError(
                f"the {part} part of {self.describe()} is empty: corpus.heldout_fraction "
                f"{self.heldout_fraction:g} leaves it none of {total} documents; {self._cut_otherwise(total)}"
                "change the fraction or name held-out text in corpus.heldout"
            )

    def beginnings(self) -> list[str]:
        """Give the first characters of the first documents of the training part, for checks to look at."""
        found, characters = list[str](), 0
        for document in self.documents_of("train"):
            found.append(document[:_BEGINNING])
            characters += len(found[-1])
            if characters >= _BEGINNINGS:
                break
        return found

    def _cut_otherwise(self, documents: int) -> str:
        """Say into how many documents text files are cut by other settings, where these are more."""
        if self.path is None or self.given:
            return ""
        texts = [path for path in self._files("train") if files.format_of(path, self.format) == "text"]
        found = {
            rule: sum(
                bool(one.strip())
                for path in texts
                for one in files.read(path, "text", rule, self.separator, self.field, self.encoding)
            )
            for rule in CUTS
        }
        more = [f"corpus.documents={rule} {count:,}" for rule, count in found.items() if count > documents]
        return (
            f"the same files have more, cut otherwise ({', '.join(more)}): set one of these, " if more else ""
        )

    def fingerprint(self) -> str:
        """Return a hex id that changes whenever the documents may have changed.

        It is a hash of the options and the source: the files' paths, sizes and times, a data set's commit, or the whole
        text of the manuals.
        """
        # As text they change nothing, and what older versions kept under this fingerprint stays usable.
        unchanged = {"special_tokens"} if self.special_tokens == "text" else set()
        unchanged |= {"near_duplicates"} | ({"given"} if self.given is None else set())
        options = self.model_dump_json(exclude=unchanged if self.dataset else unchanged | {"path", "heldout"})
        if self.dataset is not None:
            source = hub.revision(self.dataset, self.config, self.split)
        elif self.path is None:
            source = manuals.fingerprint()
        else:
            parts = [self._files("train"), self._files("heldout") if self.heldout else []]
            states = [[_state(path) for path in part] for part in parts]
            # What a program gave is known by its hash, whenever it was written to the cache.
            source = repr([[], states[1]] if self.given else states)
        return blake2b(f"{options}\n{source}".encode(), digest_size=16).hexdigest()

    def describe(self) -> str:
        """Name the corpus in a few words for people."""
        if self.dataset is not None:
            return " ".join(filter(None, [self.dataset, self.config, self.split]))
        if self.path is None:
            return manuals.describe()
        if self.given:
            return f"{self.given.documents:,} texts given from Python ({self.given.hash[:12]})"
        name = self.path if isinstance(self.path, str) else ", ".join(self.path)
        cut = repr(self.separator) if self.documents == "separator" else self.documents.replace("-", " ")
        named = [self.path] if isinstance(self.path, str) else self.path
        formats = dict.fromkeys(files.format_of(Path(one), self.format) for one in named)
        return f"{name}, a document per {' or '.join(_UNITS.get(one, cut) for one in formats)}"

    def _files(self, part: Part) -> list[Path]:
        named = self.heldout if part == "heldout" else self.path
        option = "corpus.heldout" if part == "heldout" else "corpus.path"
        if self.given and part == "train" and not Path(str(self.path)).is_file():
            raise HornbookError(
                f"corpus: this recipe's {self.describe()} were kept in {self.path}, which isn't there: the recipe "
                "alone can't bring them back, so give the same texts again: hornbook.train(recipe, corpus=texts)"
            )
        return files.resolve([named] if isinstance(named, str) else named or [], option)

    def _source(self, part: Part) -> Iterator[str]:
        """Yield the documents of the source that `path` or `dataset` (train) or `heldout` (heldout) names."""
        documents = filter(None, (document.strip() for document in self._raw(part)))
        found = 0
        for document in itertools.islice(documents, self.limit if part == "train" else None):
            found += 1
            yield document
        if not found:
            raise HornbookError(
                f"there is no text in {self.heldout if part == 'heldout' else self.describe()}: "
                "it holds 0 documents that are not empty; name another source in the corpus section"
            )

    def _raw(self, part: Part) -> Iterator[str]:
        if self.dataset is not None:
            split = self.heldout if part == "heldout" and self.heldout else self.split
            yield from hub.read(self.dataset, self.config, split, self.field, self.streaming)
        elif self.path is None:
            yield from manuals.documents()
        else:
            for path in self._files(part):
                yield from files.read(
                    path, self.format, self.documents, self.separator, self.field, self.encoding
                )


def _state(path: Path) -> tuple[str, int, int]:
    facts = path.stat()
    return str(path.resolve()), facts.st_size, facts.st_mtime_ns
