"""JSON as people save it: an object a line, or one array, with fields within fields."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpora import files
from hornbook.errors import HornbookError

TEXTS = ["one", 'two ]"[{,', "naïve\n\t日本 🙂\\", "", "x" * 500]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 20])
def test_an_array_is_read(
    indent: int | None, piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PIECE", piece)
    rows = [{"n": n, "meta": {"list": [1, [2]]}, "text": text} for n, text in enumerate(TEXTS)]
    for escaped in (True, False):
        (tmp_path / "a.json").write_text(
            "\n " + json.dumps(rows, indent=indent, ensure_ascii=escaped) + "\n", "utf-8"
        )
        assert list(files.read(tmp_path / "a.json")) == TEXTS


def test_an_array_is_read_lazily(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PIECE", 16)
    (tmp_path / "a.json").write_bytes(b'[{"text": "one"}, {"text": "two"},' + b" " * 999 + b"\xff")
    reader = files.read(tmp_path / "a.json")
    assert [next(reader), next(reader)] == ["one", "two"]


@given(
    st.lists(st.fixed_dictionaries({"text": st.text(st.characters(exclude_categories=["Cs"]))}), max_size=6)
)
def test_arrays_and_lines_are_what_they_were(tmp_path_factory: pytest.TempPathFactory, rows) -> None:
    path = tmp_path_factory.mktemp("rows") / "a.json"
    texts = [row["text"] for row in rows]
    path.write_text(json.dumps(rows), "utf-8")
    assert list(files.read(path)) == texts
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert list(files.read(path)) == texts


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"text": "a"}', r"member 2 of its array: not JSON"),
        ('[{"text": "a"}] {"text": "b"}', r"after the end of its array stands '{\"text"),
        ('[{"text": "a"}, 3]', r"member 2 of its array: int, not an object"),
        ('[{"text": "a"}, {"text" "b"}' + " " * 99, r"member 2 of its array: not JSON \(Expecting ':'"),
        ('[{"text": "\\ud800"}]', r"member 1 of its array: .*half a surrogate pair"),
        (
            '{"text": ' + "[" * 100_000,
            r"line 1: can't be read \(.*recursion.*\); save one JSON object a line",
        ),
        ("[" * 100_000, r"member 1 of its array: can't be read \(.*recursion"),
        ('{"text": ' + "9" * 5000 + "}", r"line 1: can't be read \(Exceeds the limit"),
    ],
)
def test_what_is_wrong_is_named(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(HornbookError, match=message) as error:
        list(files.read(tmp_path / "a.json"))
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_a_dotted_field_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"doc": {"text": "one", "id": 1}}\n{"doc": null}\n{"doc.text": "literal", "doc": {}}\n')
    assert list(files.read(path, field="doc.text")) == ["one", "", "literal"]
    with pytest.raises(
        HornbookError, match=r"no field 'text', its fields are doc\.text, doc\.id; set corpus\.field"
    ):
        list(files.read(path))
    with pytest.raises(
        HornbookError, match=r"'doc' is dict, which holds text, id, not text; set corpus\.field=doc\.text"
    ):
        list(files.read(path, field="doc"))
