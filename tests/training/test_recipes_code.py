"""Code that a stranger's recipe names runs in no command that only looks, unless it is trusted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from hornbook.cli.app import app
from hornbook.errors import HornbookError
from hornbook.example import show
from hornbook.families import find
from hornbook.objectives import OBJECTIVES
from hornbook.run import Run
from hornbook.sealed import write_sealed
from hornbook.testing import Case
from hornbook.training.train import init

PLAIN = Path(__file__).parents[2] / "examples" / "architectures" / "plain.py"
ASKS = r"its recipe names code, .*plain\.py:PlainDecoder: read that file, and .* with --trust"


@pytest.fixture
def strangers(tmp_path: Path, story_file: Path) -> Path:
    """A folder with a harmless model, and a recipe whose code leaves a mark where it runs."""
    folder = tmp_path / "strangers"
    case = Case(find("tinystories-1m"), "tinystories-1m", OBJECTIVES["causal"]())
    case.model(1).save_pretrained(folder)
    case.tokenizer.save_pretrained(folder)
    mark = f"open({str(tmp_path / 'ran')!r}, 'w')\n"
    (folder / "plain.py").write_text(mark + PLAIN.read_text("utf-8"), "utf-8")
    recipe: dict[str, Any] = {
        "name": "run",
        "out": str(tmp_path / "run"),
        "cache": str(tmp_path / "cache"),
        "corpus": {"path": str(story_file), "documents": "line", "heldout_fraction": 0.1},
        "tokenizer": {"vocab_size": 400},
        "model": {"code": f"{folder / 'plain.py'}:PlainDecoder", "length": 16, "config": {"width": 32}},
        "objective": "causal",
        "training": {"steps": 1, "batch": 4, "trackers": []},
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    write_sealed(folder / "run.json", {"values": recipe})
    return folder


LOOKS: dict[str, Callable[[Path], Any]] = {
    "show a recipe": lambda folder: show(folder / "recipe.yaml", "Once upon a time"),
    "init": lambda folder: init(folder / "recipe.yaml", folder.parent / "new"),
    "a run": lambda folder: Run(folder).recipe.model.family,
    "a copy": lambda folder: Run(folder).recipe.model_copy().model.model_copy().family,
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_look_runs_nothing(look: Callable[[Path], Any], strangers: Path) -> None:
    with pytest.raises(HornbookError, match=ASKS):
        look(strangers)
    assert not (strangers.parent / "ran").exists()


def test_a_folder_that_needs_no_code_is_shown_without_it(strangers: Path) -> None:
    assert show(strangers).loss > 0 and not (strangers.parent / "ran").exists()


def test_what_is_asked_for_lets_it_run(strangers: Path) -> None:
    recipe, ran = strangers / "recipe.yaml", strangers.parent / "ran"
    for number, words in enumerate(
        (["show", str(recipe), "Once"], ["init", str(recipe), f"{strangers}-new"])
    ):
        refused = CliRunner().invoke(app, words)
        assert isinstance(refused.exception, HornbookError) and "--trust" in str(refused.exception)
        assert ran.exists() is bool(number)
        done = CliRunner().invoke(app, [*words, "--trust"])
        assert done.exit_code == 0, done.exception
        assert ran.exists()
    assert Run(strangers, trust=True).recipe.model.family.name == "PlainDecoder"
