"""Recipes: what is told when something is wrong, and what is resolved when nothing is."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from hornbook.errors import HornbookError
from hornbook.recipe import Recipe, make_recipe, read_recipe, read_shipped
from hornbook.recipe.fit import _tell_old_switch

GOOD: dict[str, Any] = {
    "name": "mine",
    "model": {"preset": "bert-tiny", "length": 64},
    "objective": "masked",
    "training": {"steps": 100},
}


def problem(given: dict[str, Any], *settings: str) -> str:
    with pytest.raises(HornbookError) as caught:
        make_recipe(given, settings)
    return str(caught.value)


def test_defaults_are_resolved_and_read_back() -> None:
    recipe = make_recipe(GOOD)
    assert recipe.out == "runs/mine"
    assert (recipe.tokenizer.kind, recipe.tokenizer.style) == ("wordpiece", "bert")
    assert recipe.training.warmup_steps == 25
    assert Recipe.model_validate(yaml.safe_load(recipe.to_yaml())) == recipe


def test_positions_are_those_that_the_family_can_have() -> None:
    assert make_recipe(GOOD).model.positions == "learned"
    assert make_recipe(GOOD, ["model.positions=rotary"]).model.positions == "rotary"
    for preset, objective, own in (
        ("pythia-14m", "causal", "rotary"),
        ("t5-small", "span_corruption", "relative"),
    ):
        settings = [f"model.preset={preset}", f"objective={objective}"]
        assert make_recipe(GOOD, settings).model.positions == own
        told = problem(GOOD, *settings, "model.positions=none")
        assert told.startswith(f"recipe: model.positions: {preset} is a ") and "leave this out" in told
        assert f"can be {own}, not none" in told
    assert "model.positions: input should be 'learned'" in problem(GOOD, "model.positions=rotory")


def test_once_positions_were_a_switch(caplog: pytest.LogCaptureFixture) -> None:
    """It is told once, and nothing is left to tell when the advice is followed."""
    _tell_old_switch.cache_clear()
    for switch, meant in (("true", "learned"), ("false", "none")):
        caplog.clear()
        for _ in range(2):
            assert make_recipe(GOOD, [f"model.positions={switch}"]).model.positions == meant
        [told] = caplog.messages
        advice = told.rpartition("write ")[2].replace(": ", "=")
        caplog.clear()
        assert make_recipe(GOOD, [advice]).model.positions == meant and not caplog.messages


def test_a_tokenizer_that_exists_is_read_back_too() -> None:
    recipe = make_recipe(GOOD, ["tokenizer.path=somewhere"])
    assert Recipe.model_validate(yaml.safe_load(recipe.to_yaml())) == recipe


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("training.stpes=3", "training.stpes: unknown key; did you mean 'steps'?"),
        ("objectiv=masked", "objectiv: unknown key; did you mean 'objective'?"),
        ("objective.rat=0.2", "objective.rat: unknown key; did you mean 'rate'?"),
        ("corpus.pth=x", "corpus.pth: unknown key; did you mean 'path'?"),
        ("objective.name=maskd", "there is no objective 'maskd'; did you mean 'masked'?"),
        ("model.preset=bert-tny", "model.preset: there is no preset 'bert-tny'; did you mean 'bert-tiny'?"),
        ("model.config.hiden_size=3", "'hiden_size'; did you mean 'hidden_size'?"),
        ("model.config.vocab_size=3", "vocab_size follows from the tokenizer"),
        ("training.steps=0", "training.steps: input should be greater than or equal to 1, not 0"),
        ("training.warmup=100", "warmup 100 leaves nothing of steps 100"),
        ("objective=causal", "bert-tiny is a bert model, which can't serve causal: choose masked"),
        ("tokenizer.style=robrta", "there is no 'robrta'; did you mean 'roberta'?"),
        ("name=a/b", "name: "),
        ("training.phases=[{length: 32, share: 0.5}]", "their shares add up to 0.5, not to 1"),
        (
            "training.phases=[{length: 128, share: 1}]",
            "training.phases, entry 1, length: 128 is longer than model.length 64",
        ),
        ("training.phases=[{length: 32, steps: 3}]", "their steps add up to 3, but steps is 100"),
        (
            "training.phases=[{length: 32, share: 0.999}, {length: 64, share: 0.001}]",
            "0.001 is less than one step",
        ),
        ("training.phases=[{length: 32, share: 0.5}, {length: 64, steps: 50}]", "its steps or its share"),
        (
            "training.phases=[{length: 32, sahre: 1}]",
            "training.phases, entry 1, sahre: unknown key; did you mean 'share'?",
        ),
        (
            "training={steps: 100, accumulate: 2, phases: [{length: 64, share: 1, batch: 1}]}",
            "a batch of 1 can't be split into accumulate 2 micro-batches",
        ),
    ],
)
def test_a_problem_is_one_line_with_the_place_and_the_fix(setting: str, told: str) -> None:
    text = problem(GOOD, setting)
    assert told in text and "\n" not in text


def test_phases_are_worked_out() -> None:
    assert make_recipe(GOOD, ["training.batch=8"]).phases == [(64, 100, 8)]
    grown = make_recipe(
        GOOD, ["training.phases=[{length: 16, share: 0.333, batch: 24}, {length: 64, share: 0.667}]"]
    )
    assert grown.phases == [(16, 33, 24), (64, 67, 32)]
    assert Recipe.model_validate(yaml.safe_load(grown.to_yaml())) == grown


def test_a_document_mask_needs_a_family_that_keeps_documents_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    neo = GOOD | {"model": {"preset": "tinystories-1m", "length": 64}, "objective": "causal"}
    family = make_recipe(neo, ["objective.document_mask=true"]).model.family
    monkeypatch.setattr(type(family), "inputs", family.inputs - {"position_ids"})
    make_recipe(neo)
    told = problem(neo, "objective.document_mask=true")
    assert (
        "objective.document_mask: tinystories-1m is a gpt_neo model, which can't keep documents apart" in told
    )
    make_recipe(neo, ["objective.document_mask=false"])


def test_the_mixture_takes_the_familys_form() -> None:
    t5 = GOOD | {"model": {"preset": "t5-small", "length": 64}, "objective": "denoisers"}
    neo = t5 | {"model": {"preset": "tinystories-1m", "length": 64}}
    assert (make_recipe(t5).objective.head, make_recipe(neo).objective.head) == ("seq2seq", "causal")
    recipe = make_recipe(neo)
    assert Recipe.model_validate(yaml.safe_load(recipe.to_yaml())) == recipe
    assert "has no encoder-decoder form: remove objective.form" in problem(
        neo, "objective.form=encoder-decoder"
    )
    text = problem(neo, "objective.mixture=[{kind: S, density: 0.1, wieght: 3}]", "training.stpes=3")
    assert text.startswith("recipe: 2 problems")  # and none about the form
    assert "objective.mixture, entry 1, wieght: unknown key; did you mean 'weight'?" in text
    assert "objective.name: bert-tiny" in problem(GOOD, "objective=denoisers")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (
            "model.config.type_vocab_size=1",
            (
                "bert-tiny is a bert model, which can't serve masked_next_sentence (it has 1 type of segment, and a "
                "pair has 2 segments: set model.config.type_vocab_size to 2): choose masked, or another preset"
            ),
        ),
        (
            "model.preset=roberta-base",
            (
                "roberta-base is a roberta model, which can't serve masked_next_sentence (transformers has no roberta "
                "class with a head for pairs; albert, bert and robertalbert have one): choose masked, or another preset"
            ),
        ),
        ("model.preset=robertalbert", "set model.config.type_vocab_size to 2"),
        ("objective.whole_word=true", "objective.whole_word: unknown key; did you mean 'whole_words'?"),
        ("objective.duplicates=0", "objective.duplicates: "),
    ],
)
def test_pairs_want_two_types_of_segment_and_a_class_that_judges(setting: str, told: str) -> None:
    text = problem(GOOD | {"objective": "masked_next_sentence"}, setting)
    assert told in text and "\n" not in text


def test_a_second_type_lets_robertalbert_learn_from_pairs() -> None:
    given = GOOD | {"objective": "masked_sentence_order"}
    recipe = make_recipe(given, ["model.preset=robertalbert", "model.config.type_vocab_size=2"])
    assert recipe.objective.head in recipe.model.family.heads


def test_all_problems_come_at_once() -> None:
    text = problem(GOOD, "training.stpes=3", "model.length=x", "objective=causal", "tokenizer.vocab_size=-1")
    assert text.startswith("recipe: 3 problems")  # with no length there is no model to misfit
    text = problem(GOOD, "training.stpes=3", "objective=causal", "tokenizer.style=x")
    assert text.startswith("recipe: 3 problems")
    assert all(word in text for word in ("stpes", "can't serve causal", "there is no 'x'"))


def test_settings_lie_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(GOOD))
    recipe = read_recipe(
        path, ["training.steps=7", "objective.rate=0.3", "corpus.path=[a.txt, b.txt]", "out=x/y"]
    )
    assert recipe.training.steps == 7 and recipe.objective.model_dump()["rate"] == 0.3
    assert recipe.corpus.path == ["a.txt", "b.txt"] and recipe.folder == Path("x/y")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: [", "not YAML"),
        ("name: !!python/object/apply:os.getcwd []", "not YAML"),
        ("- a\n- b", "a recipe is a table"),
        ("", "a recipe is a table"),
    ],
)
def test_files_that_are_no_recipe(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(HornbookError, match=told) as caught:
        read_recipe(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(HornbookError, match="there is no such recipe"):
        read_recipe(tmp_path / "other.yaml")
    with pytest.raises(HornbookError, match=r"section\.key=value"):
        make_recipe(GOOD, ["training.steps"])


def test_shipped_recipes_are_found() -> None:
    assert read_shipped("manuals-bert")["name"] == "manuals-bert"
    with pytest.raises(HornbookError, match="didn't come with"):
        read_shipped("other")
