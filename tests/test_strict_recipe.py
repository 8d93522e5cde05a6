"""What YAML or pydantic would silently turn into something else is refused, with the value and the fix."""

from pathlib import Path
from typing import Any

import pytest

from hornbook.errors import HornbookError
from hornbook.recipe import Recipe, make_recipe, read_recipe

TEXT = """\
name: mine
model: {preset: tinystories-1m, length: 32}
objective: causal
training: {steps: 4}
"""
VALUES: dict[str, Any] = {
    "name": "mine",
    "model": {"preset": "tinystories-1m", "length": 32},
    "objective": "causal",
    "training": {"steps": 4},
}


def refused(*settings: str) -> str:
    with pytest.raises(HornbookError) as error:
        make_recipe(VALUES, settings)
    return str(error.value)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("training.steps=true", "steps is true, and a number is needed"),
        ("training.learning_rate=true", "learning_rate is true"),
        ("training.betas=[true, 0.9]", "a number is needed"),
        ("training.steps=010", "010 is 8 to YAML, an octal number: write 8 or 10"),
        ("training.steps=1:30", "1:30 is 90 to YAML"),
        ("name=yes", "name: YAML makes True of it, and a text is needed: put it in quotes"),
        ("name=12", "put it in quotes"),
        ("training.betas=[0.9, 1]", "less than 1"),
        ("training.epsilon=.inf", "finite"),
        ("training.weight_decay=.inf", "finite"),
        ("training.learning_rate=.nan", "finite"),
        ("training.batch=1180591620717411303424", "training.batch"),
        ("training.steps={a: 1, a: 2}", "a stands twice"),
    ],
)
def test_values_that_would_become_others(setting: str, said: str) -> None:
    told = refused(setting)
    assert said in told and "\n" not in told


@pytest.mark.parametrize("setting", ["corpus.path=", "corpus.path= "])
def test_an_empty_value_is_not_the_default(setting: str) -> None:
    """A variable of the shell that isn't set would train on the manuals."""
    assert "there is no value: write one after the =, or null" in refused(setting)
    assert make_recipe(VALUES, ["corpus.path=null"]).corpus.path is None


@pytest.mark.parametrize("name", [".", ".."])
def test_names_that_are_no_new_folder(name: str) -> None:
    assert "is no folder's name" in refused(f"name={name}")


@pytest.mark.parametrize("setting", ["name=cache", "out=runs/cache/x", "out=.", "out=..", 'out="a\\0b"'])
def test_a_run_has_a_folder_of_its_own(setting: str) -> None:
    told = refused(setting)
    assert "another" in told or "a new folder" in told


def test_a_long_name() -> None:
    assert "200" in refused(f"name={'n' * 300}")


def test_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/student")
    recipe = make_recipe(VALUES, ["out=~/x", "cache=~/cache"])
    assert (recipe.out, recipe.cache) == ("/home/student/x", "/home/student/cache")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT + "name: other\n", "name stands twice, first in line 1"),
        ("a: " + "[" * 5000 + "]" * 5000, "nest less deeply"),
        ("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "write it out"),
        ("x" * 2_000_000, "2,000,000 bytes"),
        ("name: \0", "not YAML"),
    ],
)
def test_files_that_are_no_recipe(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(HornbookError) as error:
        read_recipe(path)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "recipe.yaml")
    with pytest.raises(HornbookError, match="is a pipe"):
        read_recipe(tmp_path / "recipe.yaml")


def test_scalar_aliases_and_plain_numbers_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(TEXT.replace("steps: 4", "steps: &n 20, keep: 1_0, log_every: *n, learning_rate: 1e-3"))
    recipe = read_recipe(path)
    assert isinstance(recipe, Recipe)
    assert (recipe.training.keep, recipe.training.log_every, recipe.training.learning_rate) == (10, 20, 1e-3)
