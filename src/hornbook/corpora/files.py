"""Documents from files, which are decompressed, decoded and cut in pieces; a corpus is never in memory as a whole."""

import codecs
import glob
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from fsspec.utils import infer_compression

from hornbook.corpora import rows, tables
from hornbook.corpora.cuts import CUTS, Cut, cut
from hornbook.corpora.json_rows import json_rows
from hornbook.corpora.opening import DAMAGED, decompressed, refuse_binary, told_zeros
from hornbook.errors import HornbookError

Format = Literal["text", "jsonl", "csv", "parquet", "arrow"]

PIECE = 1 << 20
"""Bytes that are read and decoded at a time."""

_FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}


_MARK = re.compile("(?<=\n)\ufeff+")
"""Byte order marks where a file began: at the beginning of a line, since files are joined whole."""
_NEXT_LINE = str.maketrans("\x85", "\n")
"""NEL, the end of a line in text from mainframes."""


def resolve(patterns: list[str], option: str = "corpus.path") -> list[Path]:
    """Return the files that paths and globs name, each once: in the order of the patterns, a glob's sorted.

    What is there by its literal name is taken for that, also a folder whose name looks like a glob. The folder of a
    data set that `save_to_disk` wrote stands for its files. Raises HornbookError for a path that isn't there, another
    folder, and a glob that matches no file.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern).expanduser()
        if path.is_file():
            found[path] = None
        elif (path / "state.json").is_file():
            found.update(dict.fromkeys(sorted(path.glob("*.arrow"))))
        elif path.is_dir():
            raise HornbookError(f"{option} names a folder: {path}; name its files, such as {path}/*.txt")
        elif path.exists():
            raise HornbookError(
                f"{option} names {path}, a pipe or a device, which can be read only once: save its text to a file"
            )
        elif glob.has_magic(pattern):
            matches = [
                Path(match) for match in sorted(glob.glob(_with_literal_folders(path), recursive=True))
            ]
            files = [match for match in matches if match.is_file()]
            if not files:
                raise HornbookError(
                    f"{option} matches no file: {path} (looked from {Path.cwd()}); correct the glob, or write [[] for "
                    "a bracket in a name"
                )
            found.update(dict.fromkeys(files))
        else:
            raise HornbookError(f"{option} names a file that is not there: {path} (looked from {Path.cwd()})")
    return list(found)


def _with_literal_folders(path: Path) -> str:
    """Escape the folders that a glob begins with, as far as they are there by their literal names."""
    for folder in path.parents:
        if folder.is_dir():
            return str(Path(glob.escape(str(folder))) / path.relative_to(folder))
    return str(path)


def read(
    path: Path,
    format: Format | None = None,
    documents: Cut = "file",
    separator: str = "<|endoftext|>",
    field: str = "text",
    encoding: str = "utf-8",
) -> Iterator[str]:
    """Yield the documents of one file, lazily and as they stand (neither stripped nor filtered).

    The suffix (before `.gz` and the like) decides the format unless `format` is given. `documents` and `separator` are
    for text, `field` for other formats. Raises HornbookError if the file can't be read, decoded (with the byte's
    position) or parsed (with the line).
    """
    format = format_of(path, format)
    try:
        if format == "parquet":
            yield from tables.parquet(path, field)
        elif format == "arrow":
            yield from tables.arrow(path, field)
        elif format == "jsonl":
            yield from json_rows(path, pieces(path, encoding), field)
        elif format == "csv":
            delimiter = "\t" if _suffix(path) == ".tsv" else ","
            yield from rows.csv(path, cut(pieces(path, encoding), "\n"), field, delimiter)
        else:
            text = (
                piece.translate(_NEXT_LINE) if "\x85" in piece else piece for piece in pieces(path, encoding)
            )
            yield from CUTS[documents](text, separator)
    except DAMAGED as error:
        raise HornbookError(f"{path} can't be read: {error}; is it whole, and may you read it?") from error


def format_of(path: Path, format: Format | None = None) -> Format:
    """Say what a file is: what was given, or what its suffix tells."""
    return format or _FORMATS.get(_suffix(path), "text")


def _suffix(path: Path) -> str:
    """Give the suffix before `.gz` and the like, in lower case."""
    return (Path(path.stem) if infer_compression(str(path)) else path).suffix.lower()


def pieces(path: Path, encoding: str = "utf-8") -> Iterator[str]:
    """Yield the decoded text of a file in pieces: decompressed, newlines as `\\n`, no byte order mark.

    A mark is also taken away where files were joined: at the beginning of any line. Raises HornbookError for a file
    that is no text, and at the first byte that is invalid in the encoding; positions count decompressed bytes from 0.
    """
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    taken, before = 0, "\n"
    with decompressed(path) as file:
        while True:
            raw = file.read(PIECE)
            if not taken:
                refuse_binary(path, raw, encoding)
            taken += len(raw)
            try:
                text = decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                # `error.object` also holds bytes that the decoder had kept from before; it ends at `taken`.
                position = taken - len(error.object) + error.start
                raise HornbookError(
                    f"{path}: byte {position} is not {encoding} (0x{error.object[error.start]:02x}){told_zeros(raw)}; "
                    f"save the file as {encoding} or set corpus.encoding"
                ) from error
            except UnicodeError as error:  # UTF-16 that doesn't say which of its two byte orders it has
                raise HornbookError(
                    f"{path}: byte 0 is not {encoding} ({error}); set corpus.encoding"
                ) from error
            if "\ufeff" in text:
                text = _MARK.sub("", before + text)[1:]
            before = text[-1:] or before
            yield text
            if not raw:
                return
