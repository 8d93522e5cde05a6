"""Documents from files, which are decompressed, decoded and cut in pieces; a corpus is never in memory as a whole."""

import codecs
import glob
import io
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from lzma import LZMAError
from pathlib import Path
from typing import Literal

import fsspec
from fsspec.utils import infer_compression

from hornbook.corpora import rows
from hornbook.errors import HornbookError

Format = Literal["text", "jsonl", "csv", "parquet"]
Cut = Literal["file", "blank-line", "line", "separator"]

PIECE = 1 << 20
"""Bytes that are read and decoded at a time."""

_FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}


def _damaged() -> Iterator[type[Exception]]:
    yield from (OSError, EOFError, zlib.error, LZMAError)
    for module in ("compression.zstd", "zstandard"):  # Python's own from 3.14 on, and the package
        with suppress(ImportError):
            yield import_module(module).ZstdError


_DAMAGED = tuple(_damaged())
"""The errors of reading a damaged file, compressed or not."""


def resolve(patterns: list[str], option: str = "corpus.path") -> list[Path]:
    """Return the files that paths and globs name, each once: in the order of the patterns, a glob's sorted.

    Raises HornbookError for a path that isn't there, a folder, and a glob that matches no file.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern).expanduser()
        if path.is_file():
            found[path] = None
        elif path.is_dir():
            raise HornbookError(f"{option} names a folder: {path}; name its files, such as {path}/*.txt")
        elif glob.has_magic(pattern):
            matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]
            files = [match for match in matches if match.is_file()]
            if not files:
                raise HornbookError(
                    f"{option} matches no file: {path} (looked from {Path.cwd()}); correct the glob"
                )
            found.update(dict.fromkeys(files))
        else:
            raise HornbookError(f"{option} names a file that is not there: {path} (looked from {Path.cwd()})")
    return list(found)


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
    suffix = _suffix(path)
    if suffix == ".zst":
        raise HornbookError(f"{path} is compressed with Zstandard; pip install zstandard")
    format = format_of(path, format)
    try:
        if format == "parquet":
            yield from rows.parquet(path, field)
        elif format == "jsonl":
            yield from rows.jsonl(path, cut(pieces(path, encoding), "\n"), field)
        elif format == "csv":
            delimiter = "\t" if suffix == ".tsv" else ","
            yield from rows.csv(path, cut(pieces(path, encoding), "\n"), field, delimiter)
        else:
            yield from _CUTS[documents](pieces(path, encoding), separator)
    except _DAMAGED as error:
        raise HornbookError(f"{path} can't be read: {error}; is it whole, and may you read it?") from error


def format_of(path: Path, format: Format | None = None) -> Format:
    """Say what a file is: what was given, or what its suffix tells."""
    return format or _FORMATS.get(_suffix(path), "text")


def _suffix(path: Path) -> str:
    """Give the suffix before `.gz` and the like, in lower case."""
    return (Path(path.stem) if infer_compression(str(path)) else path).suffix.lower()


def pieces(path: Path, encoding: str = "utf-8") -> Iterator[str]:
    """Yield the decoded text of a file in pieces: decompressed, newlines as `\\n`, no byte order mark.

    Raises HornbookError at the first byte that is invalid in the encoding; positions count decompressed bytes from 0.
    """
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    taken = 0
    with fsspec.open(os.path.abspath(path), "rb", compression="infer") as file:
        while True:
            raw = file.read(PIECE)
            first = taken == 0
            taken += len(raw)
            try:
                text = decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                # `error.object` also holds bytes that the decoder had kept from before; it ends at `taken`.
                position = taken - len(error.object) + error.start
                raise HornbookError(
                    f"{path}: byte {position} is not {encoding} (0x{error.object[error.start]:02x}); "
                    f"save the file as {encoding} or set corpus.encoding"
                ) from error
            except UnicodeError as error:  # UTF-16 that doesn't say which of its two byte orders it has
                raise HornbookError(
                    f"{path}: byte 0 is not {encoding} ({error}); set corpus.encoding"
                ) from error
            yield text.removeprefix("\ufeff") if first else text
            if not raw:
                return


def cut(pieces: Iterable[str], separator: str) -> Iterator[str]:
    """Yield the parts of `"".join(pieces).split(separator)`, with only one part and one piece in memory."""
    begun: list[str] = []
    rest = ""
    for piece in pieces:
        *ended, rest = (rest + piece).split(separator)
        for part in ended:
            yield "".join((*begun, part))
            begun.clear()
        # Only an end that may begin a separator is searched again, so that a long part is searched only once.
        sure = max(0, len(rest) - len(separator) + 1)
        begun.append(rest[:sure])
        rest = rest[sure:]
    yield "".join((*begun, rest))


def _whole(pieces: Iterable[str], separator: str) -> Iterator[str]:
    yield "".join(pieces)


def _lines(pieces: Iterable[str], separator: str) -> Iterator[str]:
    return cut(pieces, "\n")


def _between_blank_lines(pieces: Iterable[str], separator: str) -> Iterator[str]:
    lines: list[str] = []
    for line in cut(pieces, "\n"):
        if line.strip():
            lines.append(line)
        elif lines:
            yield "\n".join(lines)
            lines = []
    yield "\n".join(lines)


_CUTS: dict[Cut, Callable[[Iterable[str], str], Iterator[str]]] = {
    "file": _whole,
    "blank-line": _between_blank_lines,
    "line": _lines,
    "separator": cut,
}
