"""Models that judge pairs, as Hornbook makes them: nothing to say of a whole one, and each part that is missing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hornbook.contract import check_batch, check_run, examine
from hornbook.contract.given import DoctorInputs
from hornbook.contract.sample import SAMPLE
from hornbook.contract.subject import Subject
from hornbook.objectives import OBJECTIVES
from hornbook.tokenizers import STYLES, build_fast_tokenizer

OBJECTIVE = {"bert-tiny": "masked_next_sentence", "albert-base-v2": "masked_sentence_order"}


@pytest.fixture(params=OBJECTIVE)
def whole(request: pytest.FixtureRequest, ready: Callable[[str], Any], trained: Any) -> tuple[Any, Any, str]:
    """Give a shrunken preset, its tokenizer dressed for pairs, and its published objective."""
    made = ready(request.param)
    family = made.family
    bare = trained(family.style, family.kind, 0)
    tokenizer = build_fast_tokenizer(bare, "pairs", made.length, STYLES[family.style])
    return made._replace(tokenizer=tokenizer, head="pairs"), bare, OBJECTIVE[request.param]


def test_nothing_is_said_of_a_whole_one(whole: tuple[Any, Any, str], tmp_path: Path) -> None:
    made, _, objective = whole
    model = made.family.build(made.config, "pairs", 0)
    report = check_run(made.config, made.tokenizer, OBJECTIVES[objective](), made.length, model)
    assert report.problems == [] and {"C24", "C37", "C38", "C39", "C59", "P03"} <= set(report.checked)
    model.save_pretrained(tmp_path)
    made.tokenizer.save_pretrained(tmp_path)
    assert examine(tmp_path).problems == []
    assert examine(tmp_path, objective=objective).problems == []


def test_a_tokenizer_without_segments_and_a_model_with_one_type_are_seen(whole: tuple[Any, Any, str]) -> None:
    made, bare, objective = whole
    single = build_fast_tokenizer(bare, "masked", made.length, STYLES[made.family.style])
    report = check_run(made.config, single, OBJECTIVES[objective](), made.length)
    assert [one.id for one in report.errors] == ["C39"]
    made.config.type_vocab_size = 1
    report = check_run(made.config, made.tokenizer, OBJECTIVES[objective](), made.length)
    assert [one.id for one in report.errors] == ["C38"]


@pytest.mark.parametrize("options", [{}, {"exact": True}, {"whole_words": True}])
def test_the_rate_of_labels_is_counted(whole: tuple[Any, Any, str], options: dict[str, Any]) -> None:
    """In batches of pairs as in those of single texts, and never falsely where words are hidden as a whole."""
    made, _, name = whole
    right = OBJECTIVES[name](rate=0.15, **options)
    learning = Subject(
        DoctorInputs(tokenizer=made.tokenizer, objective=right, length=made.length, texts=SAMPLE * 20)
    ).learning_batch
    assert learning is not None

    def told(objective: Any) -> list[str]:
        found = check_batch(learning, made.tokenizer, "pairs", objective=objective).problems
        return [one.found for one in found if one.id == "P05"]

    assert told(right) == []
    [said] = told(OBJECTIVES[name](rate=0.4, **options))
    assert said.endswith("40.0% were asked for")
