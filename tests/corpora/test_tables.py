"""Parquet and Arrow: nested columns, and the folders of `save_to_disk`."""

from pathlib import Path

import datasets
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest

from hornbook.corpora import Corpus, files
from hornbook.errors import HornbookError

TEXTS = [f"row {number}" for number in range(2500)]


def test_nested_columns(tmp_path: Path) -> None:
    table = pyarrow.table({"doc": [{"text": text, "n": 1} for text in TEXTS], "a.b": TEXTS})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    pyarrow.feather.write_feather(table, tmp_path / "a.arrow")
    for path in (tmp_path / "a.parquet", tmp_path / "a.arrow"):
        assert list(files.read(path, field="doc.text")) == TEXTS
        assert list(files.read(path, field="a.b")) == TEXTS
        with pytest.raises(HornbookError, match=r"no field 'text', its fields are doc\.text, doc\.n, a\.b"):
            list(files.read(path))
        with pytest.raises(HornbookError, match=r"'doc\.n' is int, not text"):
            list(files.read(path, field="doc.n"))


def test_a_damaged_arrow_file(tmp_path: Path) -> None:
    pyarrow.feather.write_feather(pyarrow.table({"text": TEXTS}), tmp_path / "a.arrow")
    whole = (tmp_path / "a.arrow").read_bytes()
    for damaged in (whole[:2000], b"", b"no arrow at all"):
        (tmp_path / "a.arrow").write_bytes(damaged)
        with pytest.raises(HornbookError, match=r"a\.arrow (is not a whole Arrow file|can't be read)"):
            list(files.read(tmp_path / "a.arrow"))


def test_the_folders_of_save_to_disk_are_read(tmp_path: Path) -> None:
    one = datasets.Dataset.from_dict({"text": TEXTS})
    one.save_to_disk(tmp_path / "one", num_shards=3)
    datasets.DatasetDict({"train": one, "test": one.select(range(3))}).save_to_disk(tmp_path / "both")
    single = {"heldout_fraction": 0}
    assert list(Corpus(dataset=str(tmp_path / "one"), **single).documents_of("train")) == TEXTS
    assert list(Corpus(path=str(tmp_path / "one"), **single).documents_of("train")) == TEXTS
    assert list(Corpus(path=str(tmp_path / "one" / "*.arrow"), **single).documents_of("train")) == TEXTS
    both = Corpus(dataset=str(tmp_path / "both"), heldout="test")
    assert list(both.documents_of("train")) == TEXTS
    assert list(both.documents_of("heldout")) == TEXTS[:3]
    with pytest.raises(HornbookError, match=r"split 'dev'.*train, test"):
        list(Corpus(dataset=str(tmp_path / "both"), split="dev", **single).documents_of("train"))
    with pytest.raises(
        HornbookError, match=r"split 'test'.*holds one data set without splits.*corpus.heldout"
    ):
        list(Corpus(dataset=str(tmp_path / "one"), heldout="test").documents_of("heldout"))
