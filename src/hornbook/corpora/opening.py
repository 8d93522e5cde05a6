"""A file's bytes, decompressed by what is in it, whatever it is called."""

import zlib
from lzma import LZMAError
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile

import numpy as np
from fsspec.compression import compr
from fsspec.utils import infer_compression

from hornbook.errors import HornbookError

DAMAGED = (OSError, EOFError, zlib.error, LZMAError, BadZipFile)
"""The errors of reading a damaged file, compressed or not."""

_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
_UNREADABLE = {
    b"%PDF-": ("a PDF", "take its text out of it"),
    b"SQLite format 3": ("an SQLite database", "save its text as JSONL"),
    b"PAR1": ("a Parquet file", "set corpus.format=parquet"),
    b"ARROW1": ("an Arrow file", "set corpus.format=arrow"),
}
"""What a file of text doesn't begin with, and what to do."""
_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


def decompressed(path: Path) -> IO[bytes]:
    """Open a file to read its bytes from the beginning: those within, if it is compressed. A pipe is read as well.

    Raises HornbookError for an archive of several files.
    """
    file = path.open("rb")
    start = file.peek(8)
    kind = next((kind for mark, kind in _COMPRESSED.items() if start.startswith(mark)), None)
    if kind == "zip":
        return _only_member(path, file)
    if kind == "zstd":  # pyarrow has the codec; Python has it from 3.14 on
        import pyarrow

        stream: IO[bytes] = pyarrow.CompressedInputStream(pyarrow.PythonFile(file), "zstd")
        return stream
    if kind is None and (named := infer_compression(str(path))) not in {*_COMPRESSED.values(), "zstd"}:
        kind = named  # by its name alone, such as .lz4
    if kind is None:
        return file
    opened: IO[bytes] = compr[kind](file, mode="rb")
    return opened


def _only_member(path: Path, file: IO[bytes]) -> IO[bytes]:
    archive = ZipFile(file)
    members = [one for one in archive.infolist() if not one.is_dir()]
    if len(members) != 1:
        raise HornbookError(
            f"{path} is a zip archive of {len(members)} files, and only one of a single file is read: unpack it, and "
            "name the files"
        )
    return archive.open(members[0])


def refuse_binary(path: Path, raw: bytes, encoding: str) -> None:
    """Raise HornbookError if a text's first bytes are another kind of file, or in UTF-16 or UTF-32 by their look."""
    for mark, (kind, fix) in _UNREADABLE.items():
        if raw.startswith(mark):
            raise HornbookError(f"{path} is {kind}, not text: {fix}")
    if raw[257:262] == b"ustar":
        raise HornbookError(f"{path} is a tar archive, not text: unpack it, and name the files")
    if encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf16", "utf32")):
        return
    marked = next((name for mark, name in _MARKS.items() if raw.startswith(mark)), None)
    if name := marked or _wide(raw):
        how = "begins with the mark of" if marked else "has its zero bytes where text has them in"
        raise HornbookError(f"{path} {how} {name}, not {encoding}: set corpus.encoding={name}")


def _wide(raw: bytes) -> str | None:
    """Name the UTF-16 or UTF-32 of bytes without a mark, by the places of their zeros; None if it is neither.

    Text of ASCII characters has three zeros in each four bytes of UTF-32, one in each two of UTF-16, always on the same
    side. In other scripts at least the spaces and ends of lines have them.
    """
    zeros = np.flatnonzero(np.frombuffer(raw, np.uint8) == 0) % 4
    first, second, third, fourth = np.bincount(zeros, minlength=4) / max(len(raw) / 4, 1)
    if min(third, fourth) > 0.9 and first < 0.5:
        return "utf-32-le"
    if min(first, second) > 0.9 and fourth < 0.5:
        return "utf-32-be"
    left, right = first + third, second + fourth
    if max(left, right) > 0.04 and min(left, right) < max(left, right) / 10:
        return "utf-16-le" if right > left else "utf-16-be"
    return None


def told_zeros(raw: bytes) -> str:
    """Add to an error of decoding that the bytes hold zeros, as no text in UTF-8 does; else nothing."""
    zeros = raw.count(0)
    return f", and {zeros:,} bytes near it are zero, as in utf-16-le or utf-16-be" if zeros else ""
