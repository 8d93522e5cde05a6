import bz2
import gzip
import io
import itertools
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpora import files
from hornbook.corpora.cuts import CUTS, cut
from hornbook.errors import HornbookError


def pieces_of(text, chunking):
    ends = sorted({min(cut, len(text)) for cut in chunking} | {0, len(text)})
    return [text[a:b] for a, b in itertools.pairwise(ends)]


@given(st.text("ab|\n", max_size=60), st.text("ab|", min_size=1, max_size=4), st.lists(st.integers(0, 60)))
def test_cut_equals_split_wherever_the_pieces_end(text, separator, chunking):
    assert list(cut(pieces_of(text, chunking), separator)) == text.split(separator)


@given(st.text("ab \n", max_size=60))
def test_blank_lines_cut_as_a_regular_expression_does(text):
    found = [d.strip() for d in CUTS["blank-line"](iter(text), "") if d.strip()]
    assert found == [d.strip() for d in re.split(r"\n[ ]*\n[ \n]*", "\n" + text + "\n") if d.strip()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "shift_jis"])
@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1 << 20])
def test_pieces_decode_as_python_does(tmp_path, monkeypatch, encoding, piece):
    monkeypatch.setattr(files, "PIECE", piece)
    text = "one\r\ntwo\rthree\n\n" + {"latin-1": "blåbær", "shift_jis": "日本語"}.get(
        encoding, "blåbær 日本 🙂"
    )
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    expected = io.TextIOWrapper(io.BytesIO(text.encode(encoding)), encoding=encoding).read()
    assert "".join(files.pieces(tmp_path / "a.txt", encoding)) == expected


@given(st.binary(max_size=40), st.integers(1, 9))
def test_the_byte_that_cannot_be_decoded_is_named(tmp_path_factory, raw, piece):
    path, raw = tmp_path_factory.mktemp("bytes") / "a.txt", b"it begins as text does" + raw
    path.write_bytes(raw)
    try:
        raw.decode("utf-8")
        wrong = None
    except UnicodeDecodeError as error:
        wrong = error.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "PIECE", piece)
        if wrong is None:
            list(files.pieces(path))
        else:
            with pytest.raises(HornbookError, match=rf"byte {wrong} is not utf-8 \(0x{raw[wrong]:02x}\)"):
                list(files.pieces(path))


def test_reading_is_lazy(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PIECE", 16)
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\ntwo\n" + b"x" * 1000 + b"\xff")
    reader = files.read(path, documents="line")
    assert [next(reader), next(reader)] == ["one", "two"]  # the wrong byte is not reached
    with pytest.raises(HornbookError, match="byte 1008 is not utf-8"):
        list(reader)


DOCUMENTS = ["First, it rained.", 'Then "the sun"\ncame,\tout.', "Så ble det kveld: 🙂"]


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.jsonl.gz", "a.json", "a.csv", "a.tsv", "a.csv.bz2", "a.parquet"]
)
def test_rows_of_every_format(tmp_path, name):
    import pandas as pd

    frame = pd.DataFrame({"id": range(3), "story": DOCUMENTS})
    path = tmp_path / name
    if "json" in name:
        frame.to_json(path, orient="records", lines=True)
    elif "parquet" in name:
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if ".tsv" in name else ",")
    assert list(files.read(path, field="story")) == DOCUMENTS
    with pytest.raises(HornbookError, match=r"no field 'stori'.*id, story.*did you mean 'story'"):
        list(files.read(path, field="stori"))


def test_parquet_is_read_in_order_over_batches(tmp_path):
    texts = [f"row {n}" for n in range(3000)]
    pq.write_table(pa.table({"text": [*texts, None]}), tmp_path / "a.parquet", row_group_size=700)
    assert list(files.read(tmp_path / "a.parquet")) == [*texts, ""]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_compressed_text(tmp_path, pack):
    path = tmp_path / f"a.txt.{'gz' if pack is gzip.compress else 'bz2'}"
    path.write_bytes(pack(b"one\n\ntwo"))
    assert list(files.read(path, documents="blank-line")) == ["one", "two"]
    path.write_bytes(pack(b"one " * 9999)[:-9])
    with pytest.raises(HornbookError, match=r"a\.txt\..*can't be read"):
        list(files.read(path))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.jsonl",
            '{"text": "x"}\n{"body": "y"}\n',
            r"a\.jsonl, line 2 has no field 'text', its fields are body",
        ),
        ("a.jsonl", '{"text": "x"}\n\n{"text": 3}\n', r"line 3: the field 'text' is int, not text"),
        ("a.jsonl", '{"text": "x"\n', r"line 1: not JSON"),
        ("a.jsonl", json.dumps({"text": "\ud800"}), "half a surrogate pair"),
        ("a.csv", "id,text\n1,a,b\n", r"a\.csv, line 2: 3 fields where the header has 2"),
        ("a.csv", 'id,text\n1,"a" b\n', r"a\.csv, line 2"),
        ("a.csv", 'id,text\n1,"a\n2,b\n', r"unexpected end"),
        ("a.parquet", "not parquet", r"a\.parquet is not a whole Parquet file"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(HornbookError, match=message) as error:
        list(files.read(tmp_path / name))
    assert "\n" not in str(error.value)


def test_long_csv_fields(tmp_path):
    (tmp_path / "a.csv").write_text("text\n" + "x" * 200_000 + "\n")
    assert [len(d) for d in files.read(tmp_path / "a.csv")] == [200_000]


def test_globs_are_sorted_and_each_file_stands_once(tmp_path):
    for name in ["b.txt", "a.txt", "c.md", "d[1].txt"]:
        (tmp_path / name).touch()
    found = files.resolve([str(tmp_path / "c.md"), str(tmp_path / "*.txt"), str(tmp_path / "a.txt")])
    assert [path.name for path in found] == ["c.md", "a.txt", "b.txt", "d[1].txt"]
    assert [path.name for path in files.resolve([str(tmp_path / "d[1].txt")])] == ["d[1].txt"]


def test_paths_that_name_no_file(tmp_path):
    with pytest.raises(HornbookError, match=r"not there: .*none\.txt"):
        files.resolve([str(tmp_path / "none.txt")])
    with pytest.raises(HornbookError, match=r"matches no file: .*\*\.txt"):
        files.resolve([str(tmp_path / "*.txt")])
    with pytest.raises(HornbookError, match=r"a folder: .*/\*\.txt"):
        files.resolve([str(tmp_path)])
