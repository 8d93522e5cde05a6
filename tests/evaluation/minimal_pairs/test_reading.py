"""Pairs from files in each published form, and what can't be meant told in a sentence."""

import json
from collections import Counter
from pathlib import Path

import pytest

from hornbook.errors import HornbookError
from hornbook.evaluation.minimal_pairs import SUITES, read_files, read_suite


def write(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


def blimp(good: str, bad: str, uid: str = "adjunct_island", term: str = "island_effects") -> dict[str, str]:
    return {
        "sentence_good": good,
        "sentence_bad": bad,
        "UID": uid,
        "field": "syntax_semantics",
        "linguistics_term": term,
    }


EWOK = {
    "Domain": "social-relations",
    "Context1": "Ali likes Bo.",
    "Context2": "Ali hates Bo.",
    "Target1": "Ali smiles.",
    "Target2": "Ali frowns.",
}


@pytest.mark.long
def test_blimp_as_it_was_published(data: Path):
    paradigms = read_suite(SUITES["blimp"], data / "evaluation")
    assert len(paradigms) == 67 and all(len(one.pairs) == 1000 for one in paradigms)
    # Warstadt et al., 2020, table 2 (how many paradigms each phenomenon has).
    assert Counter(group for one in paradigms for group in one.groups if not group.startswith("field")) == {
        "anaphor agreement": 2,
        "argument structure": 9,
        "binding": 7,
        "control raising": 5,
        "determiner noun agreement": 8,
        "ellipsis": 2,
        "filler gap dependency": 7,
        "irregular forms": 2,
        "island effects": 8,
        "npi licensing": 7,
        "quantifiers": 4,
        "subject verb agreement": 6,
    }
    assert {one.groups[0] for one in paradigms if one.groups[1] == "binding"} == {"field: syntax-semantics"}


def test_a_limit_takes_the_first_of_each_paradigm(tmp_path):
    rows = [blimp(f"good {n}", f"bad {n}", uid) for uid in ("a", "b") for n in range(5)]
    write(tmp_path / "blimp/all.jsonl", *rows)
    found = read_suite(SUITES["blimp"], tmp_path, 2)
    assert [(one.name, [pair.good.text for pair in one.pairs]) for one in found] == [
        ("a", ["good 0", "good 1"]),
        ("b", ["good 0", "good 1"]),
    ]


def test_the_supplements_paradigms_are_its_files(tmp_path):
    write(tmp_path / "supplement/hypernym.jsonl", {"sentence_good": "a b", "sentence_bad": "b a"})
    write(tmp_path / "supplement/turn_taking.jsonl", {"sentence_good": "c d", "sentence_bad": "d c"})
    found = read_suite(SUITES["blimp_supplement"], tmp_path)
    assert [one.name for one in found] == ["hypernym", "turn_taking"]


def test_ewok_asks_for_each_target_after_both_contexts(tmp_path):
    (paradigm,) = read_suite(SUITES["ewok"], write(tmp_path / "test.jsonl", EWOK))
    assert paradigm.name == "social-relations"
    assert [(pair.good.text, pair.bad.text) for pair in paradigm.pairs] == [
        ("Ali likes Bo. Ali smiles.", "Ali hates Bo. Ali smiles."),
        ("Ali hates Bo. Ali frowns.", "Ali likes Bo. Ali frowns."),
    ]
    assert paradigm.pairs[0].good.text[paradigm.pairs[0].good.begins :] == " Ali smiles."


def test_files_of_ones_own(tmp_path):
    own = write(tmp_path / "mine.jsonl", {"good": "a b", "bad": "b a", "context": "So"}, "")
    other = write(tmp_path / "other.jsonl", blimp("c d", "d c"))
    first, second = read_files([own, other])
    assert (first.name, first.pairs[0].good.text, second.pairs[0].bad.text) == ("mine", "So a b", "d c")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "it is empty: name a file with a pair in each line"),
        (["{"], "line 1: can't be read as JSON"),
        (["[1]"], "line 1: it holds a list"),
        ([{"good": "a", "wrong": "b"}], "it has good, wrong, and a pair needs good and bad"),
        ([{"good": "a b", "bad": "a b"}], "line 1: both halves are 'a b'"),
        ([{"good": "a", "bad": "b"}, {"good": "a", "bad": " "}], "line 2: its bad is ' ', not a text"),
        ([{"good": "a", "bad": 1}], "its bad is 1, not a text"),
    ],
)
def test_a_file_that_cannot_be_meant(tmp_path, rows, told):
    with pytest.raises(HornbookError) as error:
        read_files([write(tmp_path / "mine.jsonl", *rows)])
    assert told in str(error.value) and "mine.jsonl" in str(error.value)


def test_another_suites_files_are_refused(tmp_path):
    ewok = write(tmp_path / "ewok.jsonl", EWOK)
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(HornbookError, match="line 1: it has no sentence_good, and BLiMP has"):
        read_suite(SUITES["blimp"], ewok)
    with pytest.raises(HornbookError, match=r"neither it nor .* has any \.jsonl files"):
        read_suite(SUITES["blimp"], empty)
    with pytest.raises(HornbookError, match="isn't on the hub: name the folder of its files with --data"):
        read_suite(SUITES["blimp_supplement"])


@pytest.mark.parametrize("suite", ["blimp", "ewok"])
def test_a_hub_without_a_network(monkeypatch, suite):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("hornbook.corpora.hub._commit", lambda name: None)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    with pytest.raises(HornbookError, match=r"can't be had from the hub: connect to a network .* --data"):
        read_suite(SUITES[suite])


def test_two_files_of_one_name(tmp_path):
    rows = {"good": "a", "bad": "b"}
    files = [write(tmp_path / folder / "mine.jsonl", rows) for folder in "xy"]
    with pytest.raises(HornbookError, match="two files are called mine"):
        read_files(files)
