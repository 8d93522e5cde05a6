"""The files on which an older version fell short (in `cases`, cut to 24 documents): each trains now, or says why not.

Cases without a file of their own stand elsewhere: `ELSEWHERE` names the tests.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest

import hornbook
from hornbook.errors import HornbookError
from hornbook.recipe import Recipe, make_recipe
from hornbook.reporter import Reporter
from hornbook.training.prepare import prepare

CASES = Path(__file__).parent / "cases"
BERT, ROBERTA, ALBERT = (
    {"preset": preset, "length": 32, "config": {"num_hidden_layers": 1, "hidden_size": 32, **heads}}
    for preset, heads in (
        ("bert-tiny", {"num_attention_heads": 2, "intermediate_size": 64}),
        ("roberta-base", {"num_attention_heads": 2, "intermediate_size": 64}),
        ("albert-base-v2", {"num_attention_heads": 2, "intermediate_size": 64, "embedding_size": 16}),
    )
)
WHOLE: dict[str, Any] = {"name": "masked", "whole_words": True}
ELSEWHERE = {
    "a corpus that was moved or touched, and values that change nothing": "training/test_resume.py",
    "the same command twice at once": "training/test_stopped.py",
    "a held-out part that is trained on": "training/test_world.py",
    "a pipeline without a further argument": "training/test_init.py",
}

Make = Callable[..., Recipe]


@pytest.fixture
def recipe(tmp_path: Path) -> Make:
    """Give what makes a recipe of six steps on a copy of a case."""

    def make(name: str, model: dict[str, Any], objective: Any, **corpus: Any) -> Recipe:
        if not (tmp_path / name).exists():
            shutil.copy(CASES / name, tmp_path / name)
        values = {
            "name": "run",
            "out": str(tmp_path / "run"),
            "cache": str(tmp_path / "cache"),
            "corpus": {"path": str(tmp_path / name), "documents": "line", "heldout_fraction": 0.2, **corpus},
            # A Unigram tokenizer holds all bytes and all characters beside its pieces.
            "tokenizer": {"vocab_size": 400 if model is ALBERT else 300},
            "model": model,
            "objective": objective,
            "training": {"steps": 6, "batch": 4, "log_every": 1, "trackers": []},
        }
        return make_recipe(values, [])

    return make


def trained(recipe: Recipe) -> None:
    """Train; each step has a loss, as a step without a label has none."""
    log = hornbook.train(recipe, report=Reporter(silent=True)).log
    losses = log[log["kind"] == "train"]["loss"]
    assert len(losses) == 6 and losses.min() > 1


TRAINED: list[tuple[str, dict[str, Any], Any, dict[str, Any]]] = [
    ("chinese.txt", BERT, "masked", {}),
    ("chinese.txt", ROBERTA, WHOLE, {}),
    ("russian-no-stops.txt", BERT, "masked", {}),
    ("thai.txt", ROBERTA, WHOLE, {}),
    ("thai.txt", ROBERTA, WHOLE | {"exact": True}, {}),
    ("urdu.txt", ALBERT, "masked_sentence_order", {}),
    ("utf16le-no-bom.txt", BERT, "masked", {"encoding": "utf-16-le"}),
    ("two-files-with-bom.txt", BERT, "masked", {}),
    ("two-files-with-bom.jsonl", BERT, "masked", {}),
    ("array.json", BERT, "masked", {}),
    ("nested.jsonl", BERT, "masked", {"field": "doc.text"}),
    ("gzip-named.txt", BERT, "masked", {}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "model", "objective", "corpus"), TRAINED)
def test_a_case_trains(name: str, model: dict[str, Any], objective: Any, corpus: Any, recipe: Make) -> None:
    trained(recipe(name, model, objective, **corpus))


def documents(recipe: Recipe) -> list[str]:
    return [one for part in ("train", "heldout") for one in recipe.corpus.documents_of(part)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "corpus"),
    [
        ("utf16le-no-bom.txt", {"encoding": "utf-16-le"}),
        ("two-files-with-bom.txt", {}),
        ("two-files-with-bom.jsonl", {}),
        ("array.json", {}),
        ("nested.jsonl", {"field": "doc.text"}),
        ("gzip-named.txt", {}),
    ],
)
def test_all_documents_of_a_case_are_read(name: str, corpus: dict[str, Any], recipe: Make) -> None:
    found = documents(recipe(name, BERT, "masked", **corpus))
    assert len(found) == 24
    assert all(text.isascii() and text.startswith("The ") and text.endswith(".") for text in found)


def test_an_encoding_without_a_mark_is_refused_by_name(recipe: Make) -> None:
    with pytest.raises(HornbookError, match=r"utf-16-le.*encoding"):
        documents(recipe("utf16le-no-bom.txt", BERT, "masked"))


def test_words_and_sentences_of_the_cases(recipe: Make) -> None:
    """A Thai document is many words; so is a Chinese one in bytes; an Urdu one has six sentences."""
    for name, least in (("thai.txt", 10), ("chinese.txt", 10)):
        store = prepare(recipe(name, ROBERTA, WHOLE), Reporter(silent=True)).train
        assert store.words is not None and store.words.sum() > least * len(store.ends)
    store = prepare(recipe("urdu.txt", ALBERT, "masked_sentence_order"), Reporter(silent=True)).train
    assert store.sentences is not None and len(store.sentences) == 6 * len(store.ends)


def test_names_and_folders(recipe: Make, tmp_path: Path) -> None:
    folder = tmp_path / "d [v1]"
    folder.mkdir()
    lines = (CASES / "chinese.txt").read_text("utf-8").splitlines()
    (folder / "a.txt").write_text("\n".join(lines), "utf-8")
    assert sorted(documents(recipe("d [v1]/a.txt", BERT, "masked"))) == sorted(lines)
    assert sorted(documents(recipe("d [v1]/a.txt", BERT, "masked", path=str(folder / "*.txt")))) == sorted(
        lines
    )
    datasets.Dataset.from_dict({"text": lines}).save_to_disk(tmp_path / "saved")
    assert sorted(documents(recipe("saved", BERT, "masked"))) == sorted(lines)


def test_other_cases_stand_elsewhere() -> None:
    assert [name for name in ELSEWHERE.values() if not (CASES.parents[1] / name).exists()] == []
    assert {path.name for path in CASES.iterdir()} == {name for name, *_ in TRAINED}
