"""What a recipe is made into before the first step."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.recipe import Recipe
from hornbook.reporter import Reporter
from hornbook.tokenizer import reindex, train
from hornbook.training.prepare import prepare


def test_a_tokenizer_without_a_mask_is_led_to_one_that_has_it(
    recipe_of: Callable[..., Recipe], story_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "gpt"
    train(out, [str(story_file)], "line", "gpt2", vocab_size=400)
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
