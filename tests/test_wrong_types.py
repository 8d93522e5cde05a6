"""Whatever is given where something else is meant, a sentence says so: no function leaks an error of Python's."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hornbook as hb
from hornbook.families import find
from hornbook.loading import LoadedModel
from hornbook.objectives import OBJECTIVES
from hornbook.testing import Case


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    case = Case(find("bert-tiny"), "bert-tiny", OBJECTIVES["masked"]())
    folder = tmp_path_factory.mktemp("model")
    case.plain(case.model()).save_pretrained(folder)
    case.tokenizer.save_pretrained(folder)
    return hb.load(folder)


class Thing:
    """No thing that any function takes."""


CALLS: dict[str, list[Callable[[Any], Any]]] = {
    "collator": [
        lambda m: hb.collator("masked", Thing()),  # type: ignore[arg-type]
        lambda m: hb.collator("masked", "nowhere/at/all"),
        lambda m: hb.collator("masked", m.tokenizer, length="32"),  # type: ignore[arg-type]
        lambda m: hb.collator("masked", m.tokenizer, rate="x"),
        lambda m: hb.collator(3, m.tokenizer),  # type: ignore[arg-type]
        lambda m: hb.collator("masked", m.tokenizer)([]),
        lambda m: hb.collator("masked", m.tokenizer)([3]),
    ],
    "compare": [lambda m: hb.compare(m), lambda m: hb.compare(Thing()), lambda m: hb.compare([])],  # type: ignore[arg-type]
    "doctor": [lambda m: hb.doctor(Thing()), lambda m: hb.doctor(m.model)],  # type: ignore[arg-type]
    "evaluate": [
        lambda m: hb.evaluate(Thing(), ["A text."]),  # type: ignore[arg-type]
        lambda m: hb.evaluate(m, "Tom saw a bird."),
        lambda m: hb.evaluate(m, 3),  # type: ignore[arg-type]
        lambda m: hb.evaluate(m, [3]),  # type: ignore[list-item]
    ],
    "evaluate_run": [lambda m: hb.evaluate_run(Path("nowhere"))],
    "evaluate_tasks": [lambda m: hb.evaluate_tasks(Thing(), ["blimp"])],  # type: ignore[arg-type]
    "finetune": [lambda m: hb.finetune(Thing(), "cola", out=Path("nowhere"))],  # type: ignore[arg-type]
    "generate": [lambda m: hb.generate(Thing()), lambda m: hb.generate(m, ["A"])],  # type: ignore[arg-type]
    "infill": [lambda m: hb.infill(Thing(), "A ___."), lambda m: hb.infill(m, ["A ___."])],  # type: ignore[arg-type]
    "init": [lambda m: hb.init(3, Path("nowhere"))],  # type: ignore[arg-type]
    "load": [lambda m: hb.load(Thing()), lambda m: hb.load(m.model), lambda m: hb.load(None)],  # type: ignore[arg-type]
    "load_model": [lambda m: hb.load_model(m)],
    "play": [lambda m: hb.play(Thing())],  # type: ignore[arg-type]
    "show": [
        lambda m: hb.show(Thing()),  # type: ignore[arg-type]
        lambda m: hb.show(m, ["Tom"]),  # type: ignore[arg-type]
        lambda m: hb.show(m.model, "Tom"),
        lambda m: hb.show(m, "Tom", hide=[3]),  # type: ignore[list-item]
    ],
    "study": [lambda m: hb.study(Thing())],  # type: ignore[arg-type]
    "train": [
        lambda m: hb.train(3),  # type: ignore[arg-type]
        lambda m: hb.train(corpus=3),
        lambda m: hb.train("manuals-bert", model=3),
        lambda m: hb.train("manuals-bert", tokenizer=Thing()),
    ],
    "unmask": [lambda m: hb.unmask(Thing(), "A ___."), lambda m: hb.unmask(m, ["A ___."])],  # type: ignore[arg-type]
}


def test_each_function_is_asked() -> None:
    functions = {name for name in hb.__all__ if inspect.isfunction(getattr(hb, name))}
    assert functions == CALLS.keys()


@pytest.mark.parametrize(("name", "number"), [(name, i) for name in CALLS for i in range(len(CALLS[name]))])
def test_a_wrong_type_is_told(
    name: str, number: int, given: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(hb.HornbookError) as said:
        CALLS[name][number](given)
    assert "\n" not in str(said.value) and "pydantic" not in str(said.value), said.value
