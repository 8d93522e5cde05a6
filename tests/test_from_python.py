"""What a notebook needs: texts as objects, objects of transformers, frames, one training a folder, plain errors."""

import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasets import Dataset, DatasetDict

import hornbook as hb
from hornbook.corpora.given import documents_in, keep
from hornbook.recipe import recipe_of
from hornbook.reporter import Reporter
from hornbook.training.alone import alone_in
from tests.training.launching import SMALL

TEXTS = [f"Tom saw {number} red birds in a tree, and gave them {number + 3} nuts." for number in range(200)]


@pytest.fixture
def sections(tmp_path: Path) -> dict[str, Any]:
    return {
        "name": "mine",
        "out": tmp_path / "mine",
        "cache": tmp_path / "cache",
        "tokenizer": {"vocab_size": 300},
        "model": SMALL,
        "objective": "causal",
        "training": {"steps": 2, "batch": 4, "log_every": 1, "trackers": [], "evaluate_windows": 8},
    }


def once() -> Iterator[str]:
    yield from TEXTS


def test_texts_are_told_from_files(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("A text.")
    assert documents_in(str(file)) == documents_in(file) == documents_in([file]) == [str(file)]
    rows = Dataset.from_dict({"story": TEXTS})
    for given in (TEXTS, tuple(TEXTS), once(), map(str, TEXTS), iter(TEXTS)):
        assert list(documents_in(given)) == TEXTS
    assert list(documents_in(rows, "story")) == TEXTS
    with pytest.raises(hb.HornbookError, match=r"names of files.*pathlib\.Path"):
        documents_in([str(file)])
    with pytest.raises(hb.HornbookError, match=r"table of train.*data\[.train.\]"):
        documents_in(DatasetDict({"train": rows}))
    with pytest.raises(hb.HornbookError, match=r"no file 'Tom saw a bird\.'.*texts as a list of str"):
        documents_in("Tom saw a bird.")
    assert list(documents_in(["Tom saw a bird."])) == ["Tom saw a bird."]
    with pytest.raises(hb.HornbookError, match="int, not an iterable"):
        documents_in(3)
    with pytest.raises(hb.HornbookError, match="text 2 is int"):
        list(documents_in(["a text", 2]))
    with pytest.raises(hb.HornbookError, match="no field 'text', its fields are story"):
        list(documents_in(rows))


def test_the_same_texts_are_kept_once(tmp_path: Path) -> None:
    path, count, digest = keep(documents_in(once()), tmp_path)  # type: ignore[arg-type]
    before = path.stat().st_mtime_ns
    assert count == len(TEXTS) and path.stem == digest
    assert keep(iter(TEXTS), tmp_path)[0] == path and path.stat().st_mtime_ns == before
    assert keep(iter(TEXTS[1:]), tmp_path)[0] != path
    used = once()
    list(used)
    with pytest.raises(hb.HornbookError, match="only once, so make it anew"):
        keep(used, tmp_path)

    def breaks() -> Iterator[str]:
        yield from TEXTS[:3]
        raise KeyError("story")

    with pytest.raises(hb.HornbookError, match="failed at text 4: KeyError: 'story'"):
        keep(documents_in(breaks()), tmp_path)  # type: ignore[arg-type]
    with pytest.raises(hb.HornbookError, match="text 1 holds half a surrogate pair"):
        keep(iter(["\ud800"]), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2  # nothing half-written stays


def test_sections_change_a_recipe(tmp_path: Path) -> None:
    def made(*given: Any, **sections: Any) -> Any:
        return recipe_of(given[0] if given else None, given[1:], sections, Reporter())

    recipe = made("manuals-bert", training={"steps": 7}, cache=tmp_path, corpus={"heldout_fraction": 0.2})
    assert recipe.training.steps == 7 and recipe.training.batch == 32
    assert recipe.corpus.heldout_fraction == 0.2 and recipe.corpus.path is None
    other = made("manuals-bert", "training.steps=9", model="bert-mini", training={"steps": 7})
    assert other.training.steps == 9 and (other.model.size, other.model.length) == ("bert-mini", 64)
    file = tmp_path / "a.txt"
    assert made("manuals-bert", corpus=file).corpus.path == str(file)
    with pytest.raises(hb.HornbookError, match="trainin: unknown key; did you mean 'training'"):
        made("manuals-bert", trainin={"steps": 7})
    with pytest.raises(hb.HornbookError, match=r"steps: unknown key; did you mean 'training\.steps'") as said:
        made("manuals-bert", steps=3)
    section, key = re.findall(r"'(\w+)\.(\w+)'", str(said.value))[0]
    assert made("manuals-bert", **{section: {key: 3}}).training.steps == 3
    with pytest.raises(
        hb.HornbookError, match=r"training: is missing.*hornbook\.train\(NAME, corpus=\.\.\.\)"
    ):
        made(corpus=file)
    with pytest.raises(hb.HornbookError, match="no recipe: give its file, its name"):
        made()


@pytest.mark.long
def test_a_run_of_texts_goes_on_and_tells_where_they_came_from(sections: dict[str, Any]) -> None:
    class Stops(hb.Callback):
        def on_log(self, loop: Any, kind: str, facts: dict[str, Any]) -> None:
            os.kill(os.getpid(), signal.SIGINT)  # as a notebook's stop button does

    with pytest.raises(hb.Interrupted):
        hb.train(**sections, corpus=once(), callbacks=[Stops()])
    assert list(sections["out"].glob("checkpoints/step-*1"))
    for file in (sections["cache"] / "texts").iterdir():
        file.unlink()  # a kernel begins anew, and the cache was emptied
    recipe = sections["out"] / "recipe.yaml"
    with pytest.raises(hb.HornbookError, match=r"200 texts given from Python.*give the same texts again"):
        hb.train(recipe)
    run = hb.train(**sections, corpus=Dataset.from_dict({"text": TEXTS}))
    assert list(run.log[run.log["kind"] == "train"]["step"]) == [1, 2]
    assert yaml.safe_load(recipe.read_text())["corpus"]["given"]["documents"] == len(TEXTS)
    assert "200 texts given from Python" in run._repr_html_() and "bits per byte" in run._repr_html_()
    assert hb.train(recipe).folder == run.folder  # the texts are in the cache

    # What comes out goes in.
    assert hb.generate(run, "Tom", 4) == hb.generate(hb.load(run.folder), "Tom", 4)
    report = hb.doctor(run.model, run.tokenizer)
    assert report.facts() == hb.doctor(run.folder / "model").facts() and "from" in report._repr_html_()
    compared = hb.compare([run, run.folder], run.folder / "both.html")
    assert list(compared.figures["steps"]) == [2, 2] and compared.page.exists()
    measured = hb.evaluate(run, TEXTS[:9])
    assert set(measured.figures["measure"]) == set(run.figures["measure"])
    assert "bits per byte" in measured._repr_html_()
    with pytest.raises(hb.HornbookError, match="the model is an object, and no tokenizer"):
        hb.doctor(run.model)

    # In a thread, where Python gives no signals, and with a tokenizer as an object.
    changed = sections | {"out": sections["out"].with_name("other"), "tokenizer": run.tokenizer}
    thread = threading.Thread(target=hb.train, kwargs=changed | {"corpus": TEXTS})
    thread.start()
    thread.join()
    assert (changed["out"] / "model/config.json").exists()


def test_two_cells_do_not_train_into_one_folder(sections: dict[str, Any]) -> None:
    recipe = recipe_of(None, (), sections, Reporter())
    with alone_in(recipe.folder), pytest.raises(hb.HornbookError, match="another training is going on"):
        hb.train(recipe)
    with alone_in(recipe.folder):
        pass


def test_a_notebook_shows_an_error_as_a_sentence() -> None:
    with pytest.raises(hb.HornbookError) as found:
        hb.load("nowhere")
    assert found.value._render_traceback_() == [f"HornbookError: {found.value}"]


def test_tokenizers_are_trained_on_an_iterator(tmp_path: Path) -> None:
    facts = hb.tokenizer.train(once(), tmp_path / "mine", vocab_size=300)
    assert facts["entries"] == 300
    assert "200 texts given from Python" in (tmp_path / "mine/README.md").read_text()
    with pytest.raises(hb.HornbookError, match="name a new one with out="):
        hb.tokenizer.train(once())
