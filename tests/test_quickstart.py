"""The quickstart's questions are fair, and its page shows what came."""

import json
import re
import subprocess
import sys
from html import escape
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
    assert done.page.exists()
    assert [len(told) for told in done.samples][1:] == [8, 4]  # no held-out text fits the T5
    assert {one.question for one in done.asked} == set(QUESTIONS)
    page = done.page.read_text("utf-8")
    for question in QUESTIONS:
        before, after = map(escape, question.split("<mask>"))
        assert before.strip() in page and after.strip() in page, question
    (loss,) = [one for one in done.runs[0].record.measures if one.baseline]
    assert loss.value > loss.baseline  # after four steps nothing is learned
    facts = json.loads(json.dumps(done.facts()))
    assert [one["loss"] for one in facts["models"]] == [
        next(one.value for one in run.record.measures if one.baseline) for run in done.runs
    ]
    for one, run in zip(facts["models"], done.runs, strict=True):
        assert one["seconds"] == run.log["seconds"].max() > 0 and one["steps"] == 4
        assert len(one["wrote"]) >= 2
    assert "the BERT's first guess is right on 0 of 10" in judged(facts)
    tokenizer = done.runs[0].tokenizer
    for wanted in QUESTIONS.values():  # each answer can be given: it is one token
        assert all(len(tokenizer.encode(f" {word}", add_special_tokens=False)) == 1 for word in wanted)


def judged(facts: object) -> str:
    """Give what `.ci/learned.py` says of the facts on standard error; empty where all is well."""
    script = Path(__file__).parents[1] / ".ci" / "learned.py"
    done = subprocess.run([sys.executable, script], input=json.dumps(facts), capture_output=True, text=True)
    assert bool(done.stderr) == bool(done.returncode)
    return done.stderr


def test_the_bounds_of_what_five_minutes_teach() -> None:
    def facts(right: int, loss: float, fills: str = "is") -> dict[str, object]:
        models = [
            {"name": name, "loss": loss, "word_frequencies": 5.0, "wrote": [{"output": fills}] * 4}
            for name in ("bert", "gpt-neo", "t5")
        ]
        return {"asked": [{"right": number < right} for number in range(10)], "models": models}

    assert judged(facts(6, 3.5)) == ""
    assert "right on 5 of 10 prompts, and at least 6" in judged(facts(5, 3.5))
    assert "bert: its loss is 3.51, and at least 1.5 below word frequencies (5.00)" in judged(facts(6, 3.51))
    assert "t5 wrote nothing" in judged(facts(6, 3.5, " "))
