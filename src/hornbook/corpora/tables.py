"""Documents from a column of Parquet and Arrow files, read a batch of rows at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hornbook.corpora.rows import text_of
from hornbook.errors import HornbookError


def parquet(path: Path, field: str) -> Iterator[str]:
    """Yield a column of a Parquet file; a dotted field is a part of a nested one."""
    import pyarrow.parquet

    def batches() -> Iterator[Any]:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check(file.schema_arrow, field, path)
            yield from file.iter_batches(batch_size=1024, columns=[field])

    return _texts(path, field, batches(), "Parquet")


def arrow(path: Path, field: str) -> Iterator[str]:
    """Yield a column of an Arrow file, of either kind: a stream, as `datasets` writes it, or one with a footer."""
    import pyarrow

    def batches() -> Iterator[Any]:
        with pyarrow.memory_map(str(path)) as file:
            if file.read(6) == b"ARROW1":
                reader = pyarrow.ipc.open_file(file)
                found = map(reader.get_batch, range(reader.num_record_batches))
            else:
                file.seek(0)
                found = reader = pyarrow.ipc.open_stream(file)
            _check(reader.schema, field, path)
            column = field if field in reader.schema.names else field.partition(".")[0]
            for batch in found:
                for start in range(0, len(batch), 1024):
                    yield batch.select([column])[start : start + 1024]

    return _texts(path, field, batches(), "Arrow")


def _texts(path: Path, field: str, batches: Iterator[Any], kind: str) -> Iterator[str]:
    import pyarrow

    read = 0
    try:
        for batch in batches:
            for row in batch.to_pylist():
                read += 1
                yield text_of(row, field, f"{path}, row {read}")
    except pyarrow.ArrowException as error:
        message = str(error).splitlines()[0]
        raise HornbookError(f"{path} is not a whole {kind} file ({message}); save it again") from error


def _check(schema: Any, field: str, path: Path) -> None:
    """Refuse a field that isn't there before any row is read."""
    text_of(_empty({column.name: column.type for column in schema}), field, str(path))


def _empty(types: dict[str, Any]) -> dict[str, Any]:
    """Make a row without values, with the fields that nested columns have."""
    import pyarrow

    return {
        name: _empty({part.name: part.type for part in kind}) if pyarrow.types.is_struct(kind) else None
        for name, kind in types.items()
    }
