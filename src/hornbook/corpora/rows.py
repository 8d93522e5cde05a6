"""Documents from one field of JSONL, CSV or Parquet rows, read a row or a batch at a time."""

import csv as csv_module
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError, nearest


def text_of(row: dict[str, Any], field: str, where: str) -> str:
    """Return the row's text, empty for null. Raises HornbookError if the field is missing or not text."""
    if field not in row:
        known = list(row)
        raise HornbookError(
            f"{where} has no field {field!r}, its fields are {', '.join(known) or 'none'}; set corpus.field"
            + (nearest(field, known) if nearest(field, known).startswith("; did") else "")
        )
    value = row[field]
    if value is not None and not isinstance(value, str):
        raise HornbookError(
            f"{where}: the field {field!r} is {type(value).__name__}, not text; set corpus.field"
        )
    return value or ""


def jsonl(path: Path, lines: Iterable[str], field: str) -> Iterator[str]:
    """Yield the field of each JSON object, one a line; skip empty lines."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            fix = "save one JSON object a line"
            raise HornbookError(
                f"{path}, line {number}: not JSON ({error.msg}, column {error.colno}); {fix}"
            ) from error
        if not isinstance(row, dict):
            raise HornbookError(
                f"{path}, line {number}: {type(row).__name__}, not an object; save one object a line"
            )
        text = text_of(row, field, f"{path}, line {number}")
        if "\\u" in line and any("\ud800" <= letter <= "\udfff" for letter in text):
            half = "half a surrogate pair, which is no character"
            raise HornbookError(
                f"{path}, line {number}: the field {field!r} holds {half}; save it as whole characters"
            )
        yield text


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


def parquet(path: Path, field: str) -> Iterator[str]:
    """Yield a column of a Parquet file, a batch of rows at a time."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            text_of(dict.fromkeys(file.schema_arrow.names), field, str(path))
            read = 0
            for batch in file.iter_batches(batch_size=1024, columns=[field]):
                for number, value in enumerate(batch.column(field).to_pylist(), start=read + 1):
                    yield text_of({field: value}, field, f"{path}, row {number}")
                read += len(batch)
    except pyarrow.ArrowException as error:
        message = str(error).splitlines()[0]
        raise HornbookError(f"{path} is not a whole Parquet file ({message}); save it again") from error
