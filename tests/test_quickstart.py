"""The quickstart's questions are fair, and its page shows what came."""

import re
from pathlib import Path

import pytest

from hornbook.corpora import manuals
from hornbook.quickstart import BEGINNINGS, BLANKS, QUESTIONS, RECIPES, quickstart
from hornbook.recipe import make_recipe, read_shipped
from hornbook.reporter import Reporter


@pytest.mark.long
def test_the_corpus_holds_none_of_the_questions() -> None:
    corpus = " ".join(" ".join(manuals.documents()).lower().split())
    assert "return true if the string" in corpus  # the search finds what is there
    for question, wanted in QUESTIONS.items():
        for word in wanted:
            assert question.replace("<mask>", word).lower() not in corpus
    for text in BLANKS:
        assert not re.search(re.escape(text.lower()).replace("<mask>", "[^.]{1,40}"), corpus)
    assert len(QUESTIONS) == 10 and all(question.count("<mask>") == 1 for question in QUESTIONS)


def test_the_three_see_the_same_tokens() -> None:
    recipes = [make_recipe(read_shipped(name)) for name in RECIPES]
    assert len({recipe.tokenizer.model_dump_json() for recipe in recipes}) == 1
    assert [recipe.objective.writes for recipe in recipes] == ["unmask", "generate", "infill"]
    assert all("<mask>" not in text for text in BEGINNINGS)


@pytest.mark.slow
def test_the_whole_way(tmp_path: Path) -> None:
    done = quickstart(tmp_path, Reporter(), steps=4)
    assert done.page.exists() and [len(told) for told in done.samples][1:] == [8, 8]
    assert {one.question for one in done.asked} == set(QUESTIONS)
    (loss,) = [one for one in done.runs[0].record.measures if one.baseline]
    assert loss.value > loss.baseline  # after four steps nothing is learned
    tokenizer = done.runs[0].tokenizer
    for wanted in QUESTIONS.values():  # each answer can be given: it is one token
        assert all(len(tokenizer.encode(f" {word}", add_special_tokens=False)) == 1 for word in wanted)
