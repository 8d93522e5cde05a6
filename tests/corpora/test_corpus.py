import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hornbook.corpora import Corpus
from hornbook.errors import HornbookError


def both(corpus):
    parts = []
    for part in ("train", "heldout"):
        found = []
        try:
            for document in corpus.documents_of(part):
                found.append(document)  # noqa: PERF402
        except HornbookError:
            assert not found
        parts.append(found)
    return parts


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("abc", max_size=3), max_size=30), st.floats(0, 0.99), st.randoms())
def test_every_document_is_in_exactly_one_part(tmp_path_factory, lines, fraction, random):
    path = tmp_path_factory.mktemp("split") / "a.txt"
    corpus = Corpus(path=str(path), documents="line", heldout_fraction=fraction)
    path.write_text("\n".join(lines))
    train, heldout = both(corpus)
    assert sorted(train + heldout) == sorted(filter(None, lines))
    assert not set(train) & set(heldout)
    random.shuffle(lines)
    path.write_text("\n".join(lines))
    assert [sorted(part) for part in both(corpus)] == [sorted(train), sorted(heldout)]


def test_the_real_stories_are_counted_as_the_index_does(data):
    options = {"documents": "separator", "path": str(data / "tinystories/train.txt")}
    corpus = Corpus(**options, heldout=str(data / "tinystories/validation.txt"))
    assert sum(1 for _ in corpus.documents_of("train")) == 12_976
    assert sum(1 for _ in corpus.documents_of("heldout")) == 682
    held = sum(1 for _ in Corpus(**options).documents_of("heldout"))
    assert 0.04 < held / 12_976 < 0.06


@pytest.mark.long
def test_the_embedded_corpus_is_the_default():
    corpus = Corpus()
    heldout = set(corpus.documents_of("heldout"))
    assert 20 < len(heldout) < 200
    assert not heldout & set(corpus.documents_of("train"))
    assert "CPython" in corpus.describe()


@pytest.mark.parametrize(
    ("options", "unit"),
    [
        ({"path": "a.txt"}, "file"),
        ({"path": "a.txt", "documents": "blank-line"}, "blank line"),
        ({"path": "a.jsonl"}, "record"),
        ({"path": "more/*.JSONL.gz"}, "record"),
        ({"path": "a.csv.xz"}, "row"),
        ({"path": "a.parquet"}, "row"),
        ({"path": "a.data", "format": "jsonl"}, "record"),
        ({"path": ["a.jsonl", "b.txt"], "documents": "line"}, "record or line"),
    ],
)
def test_the_unit_of_a_document_is_the_formats_own(options, unit):
    assert Corpus(**options).describe().endswith(f", a document per {unit}")


def test_limit_counts_documents_that_hold_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("\n\none\n \ntwo\nthree\n")
    corpus = Corpus(path=str(path), documents="line", limit=2, heldout_fraction=0)
    assert list(corpus.documents_of("train")) == ["one", "two"]


def test_a_part_that_is_empty(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("One document.")
    corpus = Corpus(path=str(path))
    with pytest.raises(HornbookError, match=r"of 1 documents; change the fraction or name held-out text"):
        [list(corpus.documents_of(part)) for part in ("train", "heldout")]
    path.write_text(" \n")
    with pytest.raises(HornbookError, match=r"no text in .*a\.txt"):
        list(corpus.documents_of("train"))


@pytest.mark.parametrize("documents", ["file", "blank-line", "separator"])
def test_a_part_is_empty_since_the_text_is_cut_otherwise(documents, tmp_path):
    """The settings that the message names give what it says."""
    path = tmp_path / "a.txt"
    path.write_text("\n".join(f"This is line {number}." for number in range(240)))
    corpus = Corpus(path=str(path), documents=documents)
    with pytest.raises(
        HornbookError, match=r"none of 1 documents; .*\(corpus\.documents=line 240\): set"
    ) as told:
        [list(corpus.documents_of(part)) for part in ("train", "heldout")]
    setting = str(told.value).partition("(corpus.documents=")[2].split()[0]
    mended = Corpus(path=str(path), documents=setting)
    assert sum(len(list(mended.documents_of(part))) for part in ("train", "heldout")) == 240


def test_documents_come_lazily(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.txt").write_bytes(b"\xff")
    corpus = Corpus(path=str(tmp_path / "*.txt"), heldout_fraction=0)
    assert list(itertools.islice(corpus.documents_of("train"), 1)) == ["one"]
    with pytest.raises(HornbookError, match=r"b\.txt: byte 0 is not utf-8 \(0xff\)"):
        list(corpus.documents_of("train"))


def test_the_fingerprint_follows_options_and_files(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one")
    prints = [Corpus(path=str(path)).fingerprint(), Corpus(path=str(path), documents="line").fingerprint()]
    path.write_text("three")
    prints.append(Corpus(path=str(path)).fingerprint())
    os.utime(path, ns=(1, 1))
    prints.append(Corpus(path=str(path)).fingerprint())
    assert len(set(prints)) == 4
    assert Corpus(path=[str(path)]).fingerprint() == prints[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "a", "dataset": "b"}, "exclude each other"),
        ({"encoding": "utf8x"}, "not a text encoding"),
        ({"encoding": "base64"}, "not a text encoding"),
        ({"heldout": "a"}, "path or a dataset"),
        ({"path": []}, "names no file"),
        ({"heldout_fraction": 1.0}, "less than 1"),
        ({"separator": ""}, "at least 1"),
        ({"pth": "a"}, "Extra inputs"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ValidationError, match=message):
        Corpus(**options)
