"""Files that are no recipe are refused by the command line: a sentence, code 2, and nothing on the disk changes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

GOOD = """\
name: mine
model: {preset: tinystories-1m, length: 32}
objective: causal
training: {steps: 4}
"""
BOMB = "a: &a [x]\n" + "".join(
    f"{new}: &{new} [{f'*{old}, ' * 9}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a recipe is a table"),
        ("# nothing\n", "a recipe is a table"),
        ("null\n", "a recipe is a table"),
        ("- a\n- b\n", "a recipe is a table"),
        ("just words\n", "a recipe is a table"),
        ("3\n", "a recipe is a table"),
        ("name: [\n", "not YAML"),
        ("name: mine\n\tmodel: x\n", "not YAML"),
        ("name: 'mine\n", "not YAML"),
        ("name: *other\n", "not YAML"),
        ("name: \0\n", "not YAML"),
        ("%YAML 9.9\n---\nname: a\n", "recipe"),
        ("name: a\n---\nname: b\n", "not YAML"),
        ("name: !!python/object/apply:os.getcwd []\n", "not YAML"),
        (b"\xff\xfe\x00\xd8", "recipe.yaml"),
        (b"name: caf\xe9\n", "recipe.yaml"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "recipe.yaml"),
        (GOOD + "name: other\n", "name stands twice, first in line 1"),
        (GOOD + "training: {steps: 5}\n", "training stands twice"),
        (GOOD + "modle: {}\n", "did you mean 'model'"),
        (GOOD.replace("name: mine\n", ""), "name"),
        (GOOD.replace("training: {steps: 4}\n", ""), "training"),
        (GOOD.replace("{steps: 4}", "4"), "training"),
        (GOOD.replace("{preset: tinystories-1m, length: 32}", "[a]"), "model"),
        (GOOD.replace("causal", "{rate: 0.1}"), "objective"),
        ("a: " + "[" * 5000 + "]" * 5000, "nest less deeply"),
        (GOOD + BOMB, "write it out"),
        ("x" * 2_000_000, "2,000,000 bytes"),
    ],
)
def test_a_bad_recipe(text: str | bytes, said: str, refused: Callable[..., str]) -> None:
    told = refused(text)
    assert "recipe" in told and said in told


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "there is no such recipe"),
        (Path.mkdir, "this is a folder"),
        (os.mkfifo, "is a pipe"),
        (lambda path: path.symlink_to("nowhere"), "there is no such recipe"),
        (lambda path: path.symlink_to(path), "recipe.yaml"),
    ],
)
def test_a_place_that_holds_no_recipe(
    make: Callable[[Path], Any], said: str, refused: Callable[..., str]
) -> None:
    make(Path("recipe.yaml"))
    told = refused(None)
    assert said in told


def test_the_good_one_is_good(recipe: dict[str, Any], refused: Callable[..., str]) -> None:
    """What is refused above is refused for what was changed: the rest is accepted as far as its corpus."""
    told = refused(GOOD, "corpus.path=nowhere.txt")
    assert "nowhere.txt" in told and yaml.safe_load(GOOD)["name"] == recipe["name"]
