"""Documents from one field of rows: of tables as Python has them, and of CSV files."""

import csv as csv_module
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError, nearest


def text_of(row: dict[str, Any], field: str, where: str) -> str:
    """Return the row's text, empty for null; `doc.text` is the field `text` of the table in `doc`.

    Raises HornbookError if the field is missing or not text.
    """
    value: Any = row
    for name in [field] if field in row else field.split("."):
        if value is None:
            break
        if not isinstance(value, dict) or name not in value:
            known = list(_names(row))
            raise HornbookError(
                f"{where} has no field {field!r}, its fields are {', '.join(known) or 'none'}; set corpus.field"
                + (nearest(field, known) if nearest(field, known).startswith("; did") else "")
            )
        value = value[name]
    if value is not None and not isinstance(value, str):
        inner = f", which holds {', '.join(value)}" if isinstance(value, dict) and value else ""
        raise HornbookError(
            f"{where}: the field {field!r} is {type(value).__name__}{inner}, not text; set corpus.field"
            + (f"={field}.{next(iter(value))}" if inner else "")
        )
    return value or ""


def _names(row: dict[str, Any], before: str = "") -> Iterator[str]:
    """Name the fields of a row, those of a table within it by a dot."""
    for name, value in row.items():
        if isinstance(value, dict) and value:
            yield from _names(value, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def csv(path: Path, lines: Iterable[str], field: str, delimiter: str) -> Iterator[str]:
    """Yield the field of each row after the header. A stray quote raises an error and never swallows rows."""
    csv_module.field_size_limit(2**31 - 1)  # Python's own limit of 128 KiB is shorter than many a document
    reader = csv_module.reader((line + "\n" for line in lines), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    try:
        for row in reader:
            if not row:
                continue
            if header is None:
                header = row
                text_of(dict.fromkeys(header), field, f"{path}, line 1")
            elif len(row) != len(header):
                raise HornbookError(
                    f"{path}, line {reader.line_num}: {len(row)} fields where the header has {len(header)}; "
                    "quote the fields that hold the delimiter"
                )
            else:
                yield row[header.index(field)]
    except csv_module.Error as error:
        raise HornbookError(
            f"{path}, line {reader.line_num}: {error}; double the quotes inside quoted fields, or use JSONL"
        ) from error
