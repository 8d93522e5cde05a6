"""Runs on text of the whole world: their checks read it, and what was read is told."""

import gzip
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hornbook
from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.recipe import Recipe, change
from hornbook.recipe.keywords import recipe_of as from_python
from hornbook.reporter import Reporter
from hornbook.training.prepare import prepare

CHINESE = ["我喜欢学习中文。今天天气很好！", "他们在公园里看书。", "明天我要去北京看朋友。"]
URDU = ["یہ کتاب ہے۔ وہ گھر گیا۔", "آج موسم اچھا ہے۔", "وہ اپنی کتاب پڑھ رہا ہے۔"]
RUSSIAN = ["мы шли по дороге и видели дом", "в доме жила старая женщина", "она дала нам хлеба и молока"]


def written(texts: list[str], path: Path, times: int = 40) -> Path:
    path.write_text("\n".join(f"{text} {number}" for number in range(times) for text in texts), "utf-8")
    return path


@pytest.fixture
def bert(recipe_of: Callable[..., Recipe], tmp_path: Path) -> Callable[..., Recipe]:
    """Give what makes a recipe on a file, with settings on top."""
    model = {"preset": "bert-tiny", "length": 32, "config": find("bert-tiny").tiny}
    recipe = recipe_of(model, "masked", steps=1)

    def make(path: Path, *settings: str) -> Recipe:
        values = recipe.model_dump(mode="json")
        for setting in (f"corpus.path={path}", "tokenizer.vocab_size=300", *settings):
            values = change(values, setting)
        return Recipe.model_validate(values)

    return make


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[Recipe], str]:
    def tell(recipe: Recipe) -> str:
        caplog.clear()
        with caplog.at_level("INFO", "hornbook"):
            prepare(recipe, Reporter())
        return "\n".join(f"{one.levelname} {one.message}" for one in caplog.records)

    return tell


@pytest.mark.parametrize("texts", [CHINESE, URDU, RUSSIAN], ids=["Chinese", "Urdu", "Russian"])
def test_checks_read_the_runs_own_text(texts: list[str], bert: Callable[..., Recipe], tmp_path: Path) -> None:
    """The tokenizer knows these letters and hardly an English one."""
    run = hornbook.train(bert(written(texts, tmp_path / "a.txt")))
    assert run.log["loss"].min() > 1


def test_a_tokenizer_that_knows_nothing_of_the_text_is_refused_with_the_cause(
    bert: Callable[..., Recipe], story_file: Path, tmp_path: Path
) -> None:
    hornbook.tokenizer.train(story_file, tmp_path / "english", "line", "bert", vocab_size=300)
    chinese = written(["我喜欢学习中文", "他们在公园里看书"], tmp_path / "a.txt").read_text("utf-8")
    (tmp_path / "a.txt").write_text(
        "".join(one for one in chinese if not one.isascii() or one == "\n"), "utf-8"
    )
    values = bert(tmp_path / "a.txt", "corpus.heldout_fraction=0.5").model_dump(mode="json")
    (tmp_path / "b.txt").write_text("我喜欢学习中文", "utf-8")
    values["corpus"] |= {"heldout": str(tmp_path / "b.txt")}
    values["tokenizer"] = {"path": str(tmp_path / "english")}
    with pytest.raises(
        HornbookError, match=r"P05: no place has a label: 100% of the text's tokens are \[UNK\], .*take a"
    ):
        hornbook.train(Recipe.model_validate(values))


def test_what_was_read_is_told(
    bert: Callable[..., Recipe], told: Callable[[Recipe], str], tmp_path: Path
) -> None:
    path = written([*CHINESE, *RUSSIAN], tmp_path / "a.txt")
    path.write_text(path.read_text("utf-8") + "\nначало\0 и \ufffd конец" * 3, "utf-8")
    said = told(bert(path, "corpus.heldout_fraction=0.2"))
    [line] = [one for one in said.splitlines() if one.startswith("INFO The text: ")]
    counts = [int(one.replace(",", "")) for one in line.split() if one.replace(",", "").isdigit()]
    assert counts[0] + counts[2] == 243 and counts[1] + counts[3] == len(path.read_bytes()) - 242
    assert "% Cyrillic" in line and "% Han" in line and "% of the tokens are [UNK]" in line
    assert line.endswith("; 2 documents (0.82%) repeat another one")
    assert "WARNING the text holds 3 NUL (U+0000), 3 replacement characters" in said


def test_a_heldout_part_that_is_trained_on_is_told(
    bert: Callable[..., Recipe], told: Callable[[Recipe], str], story_file: Path, tmp_path: Path
) -> None:
    said = told(bert(story_file, f"corpus.heldout={story_file}"))
    stories = len(story_file.read_text("utf-8").splitlines())
    assert f"WARNING {stories:,} of {stories:,} held-out documents (100%) are trained on too" in said
    shared = story_file.read_text("utf-8").splitlines()[:10]
    new = [f"{number} new lines" for number in range(5)]
    (tmp_path / "part.txt").write_text("\n".join([*shared, *new]), "utf-8")
    said = told(bert(story_file, f"corpus.heldout={tmp_path / 'part.txt'}"))
    assert "WARNING 10 of 15 held-out documents (67%) are trained on too" in said
    mended = told(bert(story_file, "corpus.heldout=null"))
    assert "trained on too" not in mended


def test_documents_that_are_nearly_the_same_are_counted_where_that_is_asked_for(
    bert: Callable[..., Recipe], told: Callable[[Recipe], str], stories: list[str], tmp_path: Path
) -> None:
    """The story is as long as 20, so that one other word at its end changes few of its runs."""
    long = " ".join(stories[:20])
    (tmp_path / "a.txt").write_text("\n".join([*stories[20:24], long, f"{long} too"]), "utf-8")
    (tmp_path / "b.txt").write_text("\n".join(stories[30:34]), "utf-8")
    settings = [f"corpus.heldout={tmp_path / 'b.txt'}"]
    assert "like an earlier one" not in told(bert(tmp_path / "a.txt", *settings))
    settings.append("corpus.near_duplicates=0.8")
    likeness = "1 documents to train on are like an earlier one (corpus.near_duplicates 0.8)"
    assert likeness in told(bert(tmp_path / "a.txt", *settings))


def test_a_vocabulary_that_came_out_smaller_is_told(
    bert: Callable[..., Recipe],
    told: Callable[[Recipe], str],
    story_file: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(2):  # also where it comes from the cache
        assert "WARNING tokenizer.vocab_size is 100,000,000, but the vocabulary has" in told(
            bert(story_file, "tokenizer.vocab_size=100000000")
        )
    assert "tokenizer.vocab_size is" not in told(bert(story_file, "tokenizer.vocab_size=200"))
    hornbook.tokenizer.train(story_file, tmp_path / "new", "line", vocab_size=10**6)
    assert any("--vocab-size is 1,000,000, but" in one.message for one in caplog.records)


def test_a_pipe_is_kept_and_read_again(
    bert: Callable[..., Recipe], tmp_path: Path, stories: list[str]
) -> None:
    """As `<(zcat stories.gz)` gives one: the same text makes the same recipe."""
    os.mkfifo(tmp_path / "pipe")
    made: list[Any] = []
    for _ in range(2):
        packed = gzip.compress("\n".join(stories).encode())
        threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[packed], daemon=True).start()
        made.append(from_python(bert(tmp_path / "pipe"), [], {"seed": 1}, Reporter(silent=True)))
    assert made[0] == made[1]
    assert list(made[0].corpus.documents_of("train")) + list(made[0].corpus.documents_of("heldout"))
    parts = [set(made[0].corpus.documents_of(part)) for part in ("train", "heldout")]
    assert parts[0] | parts[1] == {story.strip() for story in stories}


def test_tokens_that_an_older_version_kept_are_made_anew(
    bert: Callable[..., Recipe],
    told: Callable[[Recipe], str],
    story_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They tell of no scripts and repeated documents, and come of text as it was read then."""
    recipe = bert(story_file, "tokenizer.vocab_size=210")
    monkeypatch.setattr("hornbook.training.prepare.FORM", 1)
    assert "Tokenizing" in told(recipe) and "Tokenizing" not in told(recipe)
    monkeypatch.undo()
    said = told(recipe)
    assert "Tokenizing" in said and "100% Latin" in said
