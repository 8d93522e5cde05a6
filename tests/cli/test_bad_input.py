"""Bad input gets one line that names the thing, the values and the fix, exit code 2, and touches no run."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hornbook.cli import main

Told = Callable[..., str]


@pytest.fixture
def told(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """Train a small recipe with settings on top, which must fail, and give what the user is told."""
    Path("recipe.yaml").write_text(yaml.safe_dump(recipe))

    def run(*settings: str, command: tuple[str, ...] = ("train", "recipe.yaml"), code: int = 2) -> str:
        arguments = [*command, *(word for setting in settings for word in ("--set", setting))]
        monkeypatch.setattr(sys, "argv", ["hornbook", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        answer = capsys.readouterr().err.strip().split("\n")[-1]
        assert stop.value.code == code, answer
        return answer

    return run


def test_missing_file(told: Told) -> None:
    assert "nowhere.txt" in told("corpus.path=nowhere.txt")
    assert not Path("runs").exists()


def test_empty_file(told: Told) -> None:
    Path("empty.txt").touch()
    assert "empty.txt" in told("corpus.path=empty.txt")


def test_undecodable_file(told: Told) -> None:
    Path("latin.txt").write_bytes(b"once upon a time\n" * 10 + b"caf\xe9\n")
    answer = told("corpus.path=latin.txt")
    assert "latin.txt" in answer and "byte 173" in answer and "corpus.encoding" in answer


def test_jsonl_line_without_the_field(told: Told) -> None:
    Path("rows.jsonl").write_text(json.dumps({"text": "a"}) + "\n" + json.dumps({"story": "b"}) + "\n")
    answer = told("corpus.path=rows.jsonl", "corpus.documents=file")
    assert "rows.jsonl" in answer and "2" in answer and "story" in answer and "corpus.field" in answer


def test_corpus_shorter_than_a_window(told: Told) -> None:
    Path("short.txt").write_text("\n".join(f"number {number} is a story" for number in range(60)))
    answer = told("corpus.path=short.txt", "model.length=100000")
    assert "100,000" in answer and "model.length" in answer
    assert not Path("runs/mine").exists()


def test_objective_that_the_family_cannot_serve(told: Told) -> None:
    assert "can't serve masked: choose causal" in told("objective=masked")
    assert not Path("runs").exists()


@pytest.mark.parametrize("size", [3, 200])
def test_vocabulary_smaller_than_special_tokens_and_bytes(told: Told, size: int) -> None:
    answer = told(f"tokenizer.vocab_size={size}")
    assert f"{size}" in answer and "261" in answer  # 5 special tokens and 256 bytes
    assert not Path("runs/mine").exists()


def test_folder_of_another_recipe(told: Told) -> None:
    folder = Path("runs/mine")
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    assert "isn't empty and holds no run" in told()
    assert (folder / "notes.txt").read_text() == "mine"


def test_hub_name_without_a_network(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    answer = told("corpus={dataset: roneneldan/NoSuchStories}")
    assert "roneneldan/NoSuchStories" in answer


def test_tracker_that_is_not_installed(told: Told) -> None:
    assert "did you mean 'tensorboard'" in told("training.trackers=[tensorbord]")


def test_loss_that_is_no_number(told: Told) -> None:
    answer = told("training.learning_rate=1e30", "training.clip=null", "training.checkpoint_every=1")
    assert answer.startswith("hornbook: step ") and "training.learning_rate" in answer and "is kept" in answer
    kept = sorted(path.name for path in Path("runs/mine/checkpoints").iterdir())
    step = int(answer.split("step ")[1].split(":")[0])
    assert kept[-1] == f"step-{step - 1:08d}"


def test_another_recipes_run(told: Told) -> None:
    told("training.learning_rate=1e30", "training.clip=null")  # leaves a run behind
    before = {path: path.read_bytes() for path in Path("runs/mine").rglob("*") if path.is_file()}
    answer = told("training.learning_rate=1e30", "training.clip=null", "model.length=16")
    assert answer.strip() == "+ model.length: 16"  # the last line of both recipes' differences
    assert before == {path: path.read_bytes() for path in Path("runs/mine").rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "command",
    [("generate", "nowhere"), ("unmask", "nowhere", "x"), ("evaluate", "nowhere"), ("compare", "nowhere")],
)
def test_folders_that_are_not_there(told: Told, command: tuple[str, ...]) -> None:
    assert "nowhere" in told(command=command)
