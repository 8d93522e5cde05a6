"""Read minimal pairs from files or from the hub, and refuse what can't be meant."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError, one_line
from hornbook.evaluation.minimal_pairs.pair import MinimalPair, Paradigm
from hornbook.evaluation.minimal_pairs.suites import SUITES, Row, Suite, plain, sentences

_Where = tuple[str, str, Row]
"""The row's place in words, the name of its file, and the row."""


def read_suite(suite: Suite, data: Path | None = None, limit: int | None = None) -> list[Paradigm]:
    """Read a suite from `data`, its folder or one file or a folder of tasks; without `data` from the hub.

    `limit` takes only so many rows of each paradigm, from the first on. Raises HornbookError where there are no such
    files, where the hub is out of reach, and for rows of another form. A published pair whose halves are equal (BLiMP
    has seven) stays, as a tie.
    """
    rows = _from_hub(suite) if data is None else _from_files(_files(suite, data))
    found: dict[str, list[MinimalPair]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    groups: dict[str, tuple[str, ...]] = {}
    for place, file, row in rows:
        _check_fields(place, row, suite.fields, suite.title)
        name = suite.paradigm(row, file)
        counts[name] += 1
        if limit is None or counts[name] <= limit:
            found[name] += suite.pairs(row)
            groups[name] = suite.groups(row)
    if not found:
        raise HornbookError(
            f"{data or suite.dataset}: there are no pairs in it: name the files of {suite.title}"
        )
    if suite.paradigms and len(found) > suite.paradigms:
        raise HornbookError(
            f"{data}: it has {len(found)} paradigms, and {suite.title} has {suite.paradigms}: name its own files"
        )
    return [Paradigm(name, found[name], groups[name]) for name in sorted(found)]


def read_files(files: Sequence[Path], limit: int | None = None) -> list[Paradigm]:
    """Read JSON lines of one's own, each file a paradigm: `good`, `bad` and maybe `context`; or a suite's form.

    Raises HornbookError for an empty file, for rows of no known form, and for a pair whose halves are equal.
    """
    paradigms = []
    for file in files:
        pairs: list[MinimalPair] = []
        for place, _, row in _from_files([file]):
            if limit is not None and len(pairs) >= limit:
                break
            read = _form(row)
            if read is None:
                raise HornbookError(
                    f"{place}: it has {', '.join(map(str, row)) or 'no fields'}, and a pair needs good and bad (or "
                    "sentence_good and sentence_bad): rename the fields"
                )
            fields, pairs_of = read
            _check_fields(place, row, fields, "a pair")
            pairs += _checked(place, pairs_of(row))
        if not pairs:
            raise HornbookError(
                f"{file}: there are no pairs in it: write one a line, as JSON with good and bad"
            )
        paradigms.append(Paradigm(file.stem, pairs))
    names = [one.name for one in paradigms]
    if twice := {name for name in names if names.count(name) > 1}:
        raise HornbookError(
            f"two files are called {', '.join(sorted(twice))}, and each is a paradigm of its own: rename one of them"
        )
    return paradigms


def _form(row: Row) -> tuple[tuple[str, ...], Any] | None:
    """Recognise a row by its fields: one's own form, BLiMP's, or EWoK's."""
    ewok = SUITES["ewok"]
    forms = (
        (("good", "bad"), plain),
        (("sentence_good", "sentence_bad"), sentences),
        (ewok.fields, ewok.pairs),
    )
    return next((form for form in forms if set(form[0]) <= row.keys()), None)


def _check_fields(place: str, row: Row, fields: tuple[str, ...], title: str) -> None:
    for field in fields:
        if field not in row:
            raise HornbookError(
                f"{place}: it has no {field}, and {title} has: name its own files, or rename the field"
            )
        if not isinstance(row[field], str) or not row[field].strip():
            raise HornbookError(f"{place}: its {field} is {row[field]!r}, not a text: mend this line")


def _checked(place: str, pairs: tuple[MinimalPair, ...]) -> tuple[MinimalPair, ...]:
    for pair in pairs:
        if pair.good.text == pair.bad.text:
            raise HornbookError(
                f"{place}: both halves are {pair.good.text[:60]!r}, so neither is better: mend or remove this line"
            )
    return pairs


def _files(suite: Suite, data: Path) -> list[Path]:
    """Find a suite's files: the one that is named, those of the folder, or those of the suite's folder in it."""
    if data.is_file():
        return [data]
    if not data.is_dir():
        raise HornbookError(f"{data}: there is no such file or folder: name the files of {suite.title}")
    for folder in (data / suite.folder, data):
        if files := sorted(folder.glob("*.jsonl")):
            return files
    raise HornbookError(
        f"{data}: neither it nor {data / suite.folder} has any .jsonl files: name the folder of {suite.title}"
    )


def _from_files(files: Iterable[Path]) -> Iterator[_Where]:
    for file in files:
        try:
            lines = file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise HornbookError(
                f"{file}: can't be read ({one_line(error)}): name a file of JSON lines"
            ) from error
        if not any(map(str.strip, lines)):
            raise HornbookError(f"{file}: it is empty: name a file with a pair in each line")
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{file}, line {number}"
            try:
                row = json.loads(line)
            except ValueError as error:
                raise HornbookError(
                    f"{place}: can't be read as JSON ({one_line(error)}): write one object a line"
                ) from error
            if not isinstance(row, dict):
                raise HornbookError(
                    f"{place}: it holds a {type(row).__name__}, not an object with a pair: mend it"
                )
            yield place, file.stem, row


def _from_hub(suite: Suite) -> Iterator[_Where]:
    from hornbook.corpora.hub import configs, rows

    if suite.dataset is None:
        raise HornbookError(f"{suite.title} isn't on the hub: name the folder of its files with --data")
    try:
        for config in configs(suite.dataset) if suite.configs else [None]:
            for number, row in enumerate(rows(suite.dataset, config, suite.split), 1):
                yield f"{suite.dataset}, row {number}", config or suite.name, row
    except HornbookError as error:
        raise HornbookError(
            f"{suite.title} ({suite.dataset}) can't be had from the hub: connect to a network (and log in, where its "
            "page asks for that), or name a folder of its files with --data"
        ) from error
