"""What a recipe is made into before the first step."""

import shlex
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.recipe import Recipe, change, make_recipe
from hornbook.reporter import Reporter
from hornbook.tokenizer import reindex, train
from hornbook.training.prepare import PreparedRun, prepare
from hornbook.training.resume import check_folder


def test_a_tokenizer_without_a_mask_is_led_to_one_that_has_it(
    recipe_of: Callable[..., Recipe], story_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "gpt"
    train(story_file, out, "line", "gpt2", vocab_size=400)
    recipe = recipe_of(
        {"preset": "roberta-base", "length": 24, "config": find("roberta-base").tiny}, "masked"
    )

    def with_tokenizer(folder: Path) -> Recipe:
        return Recipe.model_validate(recipe.model_dump() | {"tokenizer": {"path": str(folder)}})

    with pytest.raises(HornbookError, match="mask_token") as refused:
        prepare(with_tokenizer(out), Reporter(silent=True))
    command = str(refused.value).partition("hornbook tokenizer reindex ")[2]
    assert command == f"{out} --for roberta --out NEW"
    folder, _, family, _, _ = shlex.split(command)
    reindex(Path(folder), tmp_path / "new", family)
    run = prepare(with_tokenizer(tmp_path / "new"), Reporter(silent=True))
    assert run.tokenizer.mask_token == "<mask>" and run.config.vocab_size == len(run.tokenizer)


def test_a_run_of_an_older_version_goes_on(recipe_of: Callable[..., Recipe]) -> None:
    """Its recipe lacks a key that is new; only another value than the default makes it another recipe."""
    tiny = {"preset": "tinystories-1m", "length": 24, "config": find("tinystories-1m").tiny}
    recipe = recipe_of(tiny, "causal")
    recipe.folder.mkdir()
    lines = recipe.to_yaml().splitlines()
    old = [line for line in lines if "special_tokens" not in line]
    assert len(old) == len(lines) - 1
    (recipe.folder / "recipe.yaml").write_text("\n".join(old))
    (recipe.folder / "run.json").write_text("{}")
    assert check_folder(recipe) == {}
    other = change(recipe.model_dump(mode="json"), "seed=1")
    with pytest.raises(HornbookError, match=r"another model: .*\n  - seed: 0\n  \+ seed: 1$"):
        check_folder(Recipe.model_validate(other))


@pytest.mark.parametrize("style", ["gpt", "shared"])
def test_special_tokens_in_the_corpus_are_told_and_the_advice_works(
    style: str,
    recipe_of: Callable[..., Recipe],
    stories: list[str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also another family's, which this tokenizer doesn't have: they are text whatever the rule says."""
    text = tmp_path / "text.txt"
    text.write_text("\n".join(f"{one}<|endoftext|>{two}" for one, two in pairwise(stories)), "utf-8")
    tiny = {"preset": "tinystories-1m", "length": 24, "config": find("tinystories-1m").tiny}
    recipe = recipe_of(tiny, "causal")

    def prepared(*settings: str) -> tuple[str, PreparedRun, int]:
        given = recipe.model_dump(mode="json")
        for setting in (f"corpus.path={text}", f"tokenizer.style={style}", *settings):
            given = change(given, setting)
        caplog.clear()
        with caplog.at_level("INFO", "hornbook"):
            run = prepare(Recipe.model_validate(given), Reporter())
        told = "\n".join(one.message for one in caplog.records if "written out" in one.message)
        return told, run, int((run.train.tokens == run.tokenizer.eos_token_id).sum())

    told, run, ends = prepared()
    assert f"({len(stories) - 1:,} <|endoftext|>); they are read as text" in told
    assert ends == len(run.train.ends)
    *tokens, parting = told.split("; ")[2:]
    if style == "gpt":
        (option, setting) = shlex.split(tokens[0].split("give ")[1])
        told, run, ends = prepared(setting)
        assert option == "--set" and told.endswith("they are read as tokens")
        assert ends == 2 * len(run.train.ends)
    else:
        assert tokens == [] and "(the tokenizer has no <|endoftext|>)" in told
    option, first, again, second = shlex.split(parting.split("give ")[1])
    assert option == again == "--set"
    told, run, ends = prepared(first, second)
    assert told == "" and ends == len(run.train.ends)


def test_what_a_kill_left_is_no_reason_to_refuse_a_folder(tmp_path: Path) -> None:
    recipe = make_recipe(
        {
            "name": "mine",
            "out": str(tmp_path / "run"),
            "model": {"preset": "tinystories-1m", "length": 32},
            "objective": "causal",
            "training": {"steps": 4},
        }
    )
    recipe.folder.mkdir()
    (recipe.folder / ".run.json.writing-123").touch()
    check_folder(recipe)
    (recipe.folder / "notes.txt").touch()
    with pytest.raises(HornbookError, match="isn't empty"):
        check_folder(recipe)
