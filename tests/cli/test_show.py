"""`hornbook show` as people call it: in any width, with and without colour, into a pipe that is closed."""

import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from hornbook.cli import main
from hornbook.families import find
from hornbook.families.custom import family_of_code
from hornbook.objectives import OBJECTIVES
from hornbook.testing import Case

Show = Callable[..., str]
TEXT = "Once upon a time there was a cat."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    case = Case(find("t5-small"), "t5-small", OBJECTIVES["span_corruption"]())
    place = tmp_path_factory.mktemp("model") / "t5"
    case.model(1).save_pretrained(place)
    case.tokenizer.save_pretrained(place)
    return place


@pytest.fixture
def show(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Show:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def command(*words: str, code: int = 0, source: str | None = None) -> str:
        monkeypatch.setattr(sys, "argv", ["hornbook", "show", source or str(folder), *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        assert (stop.value.code or 0) == code, said.err
        return said.err.strip() if code else said.out

    return command


def test_it_prints_the_pair_and_the_sum(show: Show) -> None:
    said = show(TEXT, "--hide", "a time")
    assert "Once upon <extra_id_0> there was a cat." in said
    assert "<extra_id_0> a time <extra_id_1>" in said
    facts = json.loads(show(TEXT, "--hide", "a time", "--json"))
    assert f"= {facts['loss']:.4f} nats: the loss that training computes" in said


@pytest.mark.parametrize("columns", ["40", "8"])
def test_a_narrow_terminal_loses_nothing(show: Show, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    wide = show(TEXT)
    monkeypatch.setenv("COLUMNS", columns)
    narrow = show(TEXT)
    assert max(map(len, narrow.splitlines())) <= int(columns)
    numbers = re.findall(r"\d+\.\d{4}", wide)
    assert numbers
    if columns == "40":
        assert all(number in narrow for number in numbers)


def test_colour_on_a_terminal_alone(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in show(TEXT)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in show(TEXT)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = show(TEXT)
    assert not re.search(r"\x1b\[[\d;]*(3|4)\d", plain)  # bold may stay
    assert "⟦" in plain


def test_a_closed_stdout(show: Show, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ([], ["--json"]):
        reads, writes = os.pipe()
        os.close(reads)
        monkeypatch.setattr(sys, "argv", ["hornbook", "show", str(folder), TEXT, *given])
        with os.fdopen(writes, "w", buffering=1) as pipe:
            monkeypatch.setattr(sys, "stdout", pipe)
            with pytest.raises(SystemExit) as stop:
                main()
            assert stop.value.code == 1
            monkeypatch.undo()
            with suppress(BrokenPipeError):
                pipe.close()


def test_the_page(show: Show, tmp_path: Path) -> None:
    show(TEXT, "--html", "page.html")
    before = (tmp_path / "page.html").read_bytes()
    assert b"Span loss" in before
    assert "something is there already" in show(TEXT, "--html", "page.html", code=2)
    assert (tmp_path / "page.html").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((TEXT, "--hide", "dog"), "--hide 'dog' isn't in the text"),
        (("--hide", "dog"), "give a text, too"),
        ((TEXT, "--objective", "causl"), "did you mean 'causal'"),
        ((TEXT, "--objective", "causal"), "needs a causal one"),
        ((TEXT, "--set", "seed=1"), "changes a recipe"),
        (("",), "the text is empty"),
    ],
)
def test_bad_input_gets_one_line(show: Show, words: tuple[str, ...], told: str) -> None:
    said = show(*words, code=2)
    assert told in said and "\n" not in said and said.startswith("hornbook: ")


def test_a_class_of_ones_own(show: Show, tmp_path: Path) -> None:
    """The refusal names --trust, and the command takes it."""
    code = Path(__file__).parents[2] / "examples/architectures/learnable_activation.py"
    family = family_of_code(f"{code}:SwishGPTNeoForCausalLM", "tinystories-1m")
    tokenizer = Case(find("tinystories-1m"), "tinystories-1m", OBJECTIVES["causal"]()).tokenizer
    small = find("tinystories-1m").tiny
    family.build(family.configure("tinystories-1m", tokenizer, 32, small), "causal", 0).save_pretrained(
        tmp_path / "own"
    )
    tokenizer.save_pretrained(tmp_path / "own")
    assert "give the same command with --trust" in show(TEXT, source=str(tmp_path / "own"), code=2)
    assert "loss" in show(TEXT, "--trust", source=str(tmp_path / "own"))


def test_what_is_not_there(show: Show) -> None:
    assert "nowhere" in show(TEXT, code=2, source="nowhere")
