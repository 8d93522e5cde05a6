"""Texts that a Python program gives: told from paths, read once, and kept as a file of the cache."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hornbook.atomic import beside
from hornbook.corpora.rows import text_of
from hornbook.errors import HornbookError, one_line

Texts = Iterable[str] | Iterable[Mapping[str, Any]] | str | Path | Iterable[Path]
"""Documents, rows that hold them (such as a `datasets.Dataset`), or the files that hold them."""


def documents_in(given: Any, field: str = "text") -> list[str] | Iterator[str]:
    """Tell paths from documents: a str, a Path or several Paths are a list of files, anything else is documents.

    Documents are strings, or rows with one in `field`, and are read lazily. Raises HornbookError, while they are read,
    where one is neither, and where the program that gives them fails; and at once for several strings that all
    name files, for a table of splits, and for what isn't iterable.
    """
    if (
        isinstance(given, str)
        and set(given) & {" ", "\n"}
        and not set(given) & set("*?[")
        and not _is_file(given)
    ):
        raise HornbookError(
            f"there is no file {given!r:.60}: a str names a file, so give texts as a list of str"
        )
    if isinstance(given, str | Path):
        return [str(given)]
    if isinstance(given, Mapping):
        raise HornbookError(
            f"the texts are a table of {', '.join(map(str, given)) or 'nothing'}: give one of its parts, such as "
            'data["train"]'
        )
    try:
        ahead = iter(given)
    except TypeError:
        raise HornbookError(
            f"the texts are {type(given).__name__}, not an iterable: give documents, rows with a field "
            f"{field!r}, or paths"
        ) from None
    if isinstance(given, list | tuple) and given:
        if all(isinstance(one, Path) for one in given):
            return [str(one) for one in given]
        if all(isinstance(one, str) and len(one) < 256 and "\n" not in one for one in given) and all(
            _is_file(one) for one in given
        ):
            raise HornbookError(
                f"the texts are names of files, such as {given[0]!r}: a list of strings is a list of documents, so "
                "give files as pathlib.Path"
            )
    return _read(ahead, field)


def keep(
    given: Iterator[str], folder: Path, field: str = "text", advance: Callable[[int], None] | None = None
) -> tuple[Path, int, str]:
    """Write documents to `folder`/HASH.jsonl as they come; return the file, how many they are, and their hash.

    The same documents give the same file, which is then left as it is. `advance` is called with the bytes of each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digest, count = blake2b(digest_size=16), 0
    with TemporaryDirectory(prefix=".reading-", dir=folder) as reading:
        unnamed = Path(reading) / "texts.jsonl"  # its name is known only after the last document
        with beside(unnamed) as writing, writing.open("wb") as file:
            for document in given:
                count += 1
                try:
                    line = json.dumps({field: document}, ensure_ascii=False).encode() + b"\n"
                except UnicodeEncodeError as error:
                    raise HornbookError(
                        f"text {count} holds half a surrogate pair, which is no character: give whole characters"
                    ) from error
                file.write(line)
                digest.update(line)
                if advance:
                    advance(len(line))
        if not count:
            raise HornbookError(
                "the texts are empty: 0 documents came; an iterator gives them only once, so make it anew"
            )
        path = folder / f"{digest.hexdigest()}.jsonl"
        if not path.exists():
            unnamed.replace(path)
    return path, count, digest.hexdigest()


def _read(texts: Iterator[Any], field: str) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        try:
            one = next(texts)
        except StopIteration:
            return
        except HornbookError:
            raise
        except Exception as error:
            raise HornbookError(
                f"the program that gives the texts failed at text {number}: {type(error).__name__}: "
                f"{one_line(error)}; nothing was written"
            ) from error
        if isinstance(one, Mapping):
            one = text_of(dict(one), field, f"row {number} of the texts")
        if not isinstance(one, str):
            raise HornbookError(
                f"text {number} is {type(one).__name__}, not a str: give documents, or rows with a field {field!r}"
            )
        yield one


def _is_file(name: str) -> bool:
    with suppress(OSError, ValueError):
        return Path(name).is_file()
    return False
