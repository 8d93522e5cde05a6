"""Tokenizers and tokens that all tests of training share, and recipes of tiny runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hornbook.recipe import Recipe, make_recipe


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep tokenizers and tokens for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def recipe_of(tmp_path: Path, cache: Path, story_file: Path) -> Callable[..., Recipe]:
    """Give what makes the recipe of a run in the test's folder, with other options of training as keywords."""

    def make(model: dict[str, Any], objective: Any, **training: Any) -> Recipe:
        given = {
            "name": "run",
            "out": str(tmp_path / "run"),
            "cache": str(cache),
            "corpus": {"path": str(story_file), "documents": "line", "heldout_fraction": 0.1},
            "tokenizer": {"vocab_size": 512},
            "model": model,
            "objective": objective,
            "training": {"steps": 1, "batch": 4, "trackers": [], **training},
        }
        return make_recipe(given, [])

    return make
