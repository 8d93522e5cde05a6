"""`hornbook dense try`: what it says, and each mistake told in a sentence, with nothing lost on disk."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, GPTNeoXForCausalLM

from hornbook.dense_tokens.folder import save_dense, wrap_folder

Command = Callable[..., str]
TEXT = ("--documents", "line", "--length", 16, "--windows", 20, "--heldout-windows", 8, "--seeds", 1)
SHORT = ("--set", "training.steps=2", "--set", "training.batch=4")


def contents() -> dict[Path, bytes]:
    """Read all files but those of the cache, which can be made again."""
    found = Path().rglob("*")
    return {one: one.read_bytes() for one in found if one.is_file() and "cache" not in one.parts}


@pytest.fixture
def refused(dense: Command, pythia: Path) -> Command:
    """Try in vain: one sentence, and nothing of the disk has changed."""

    def run(*words: object) -> str:
        Path("notes.txt").write_text("the user's own")
        before = contents()
        said = dense("try", *words, *SHORT, code=2)
        assert contents() == before and "Traceback" not in said
        (told,) = [line for line in said.splitlines() if line.startswith("hornbook: ")]
        return told

    return run


@pytest.mark.long
def test_the_last_line_is_the_verdict(pythia: Path, story_file: Path, dense: Command) -> None:
    said = dense("try", pythia, story_file, *TEXT, *SHORT)
    found = json.loads(Path("runs/dense-try/figures.json").read_text())
    assert " ".join(said.split()).endswith(found["sentences"][0])
    assert all(arm in said for arm in found["arms"])
    again = json.loads(dense("try", pythia, story_file, *TEXT, *SHORT, "--json"))
    assert again == found | {"page": str(Path("runs/dense-try/page.html"))}


def test_a_model_that_is_not_causal(pythia: Path, story_file: Path, refused: Command) -> None:
    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    BertForMaskedLM(BertConfig(vocab_size=384, **shape)).save_pretrained("bert")
    told = refused("bert", story_file)
    assert "BertForMaskedLM, which is no causal model" in told and "give one such as" in told


def test_a_text_that_is_not_there(pythia: Path, refused: Command) -> None:
    assert "the text names a file that is not there: nowhere.txt" in refused(pythia, "nowhere.txt")


@pytest.mark.long
def test_a_text_shorter_than_a_window(pythia: Path, dense: Command, refused: Command) -> None:
    Path("short.txt").write_text("\n".join(["Once upon a time."] * 3))
    Path("other.txt").write_text("There was a cat. It was a nice cat.")
    given = (pythia, "short.txt", "--heldout", "other.txt", "--documents", "line", "--seeds", 1, "--count", 1)
    told = refused(*given)
    size = re.search(
        r"short.txt, .*: its train part has (\d+) tokens, and a window takes 64: give a longer", told
    )
    assert size and told.endswith("or a smaller --length")
    dense("try", *given, "--length", 8, *SHORT)


@pytest.mark.long
def test_a_text_of_one_document(pythia: Path, stories: list[str], dense: Command, refused: Command) -> None:
    """Nothing of it can be held out; both ways out that are named lead out."""
    Path("whole.txt").write_text("\n".join(stories))
    given = (pythia, "whole.txt", *TEXT[2:])
    told = refused(*given)
    assert "a share of 0.05 leaves it none of 1 documents" in told and "corpus." not in told
    cut = re.search(
        r"\((--documents line) 400\): set one of these, or name held-out text in (--heldout)$", told
    )
    assert cut
    dense("try", *given, *SHORT, *cut[1].split(), "--out", "one")
    Path("other.txt").write_text("\n".join(stories[::-1]))
    dense("try", *given, *SHORT, cut[2], "other.txt", "--out", "two")


def test_more_dense_tokens_than_places(pythia: Path, story_file: Path, refused: Command) -> None:
    told = refused(pythia, story_file, *TEXT, "--count", 16)
    assert "a text has 15 places for a dense token, and 16 are to be put in" in told
    told = refused(pythia, story_file, *TEXT, "--length", 65)
    assert re.search(
        "65 words and . dense tokens take 65 positions, and the model has 64: give fewer words", told
    )
    rows = [{"question": f"{number}?", "answer": "one"} for number in range(6)]
    Path("mine.jsonl").write_text("\n".join(map(json.dumps, rows)))
    told = refused(pythia, "mine.jsonl", "--questions", "--count", 63)
    assert re.search(
        r"an answer of \d+ tokens and 63 dense tokens before it .* has 64 places: give a smaller", told
    )


def test_questions_without_answers(pythia: Path, refused: Command) -> None:
    Path("mine.jsonl").write_text('{"question": "Who?", "answer": "I"}\n{"question": "Why?"}\n')
    assert "mine.jsonl, line 2: has no answer: write" in refused(pythia, "mine.jsonl", "--questions")


@pytest.mark.long
def test_other_rounds_than_it_was_trained_with(
    pythia: Path, story_file: Path, dense: Command, refused: Command
) -> None:
    text = ("--text", story_file, "--documents", "line", "--windows", 8, "--length", 16)
    dense("select", pythia, "chosen", *text)
    dense("train", pythia, "chosen", "trained", "--rounds", 2, *SHORT)
    assert json.loads(Path("trained/dense.json").read_text())["trained_rounds"] == 2
    told = refused("trained", story_file, *TEXT, "--rounds", 1)
    assert "trained: its dense tokens were trained with rounds 2, and --rounds 1" in told
    (advice,) = re.findall(r"give (--rounds \S+),", told)
    dense("try", "trained", story_file, *TEXT, *SHORT, *advice.split(), "--out", "two")
    found = json.loads(dense("try", "trained", story_file, *TEXT, *SHORT, "--out", "two", "--json"))
    assert found["rounds"] == 2  # without --rounds, they are the folder's own
    dense("train", pythia, "chosen", "one-by-one", "--rounds", -1, *SHORT)
    assert "with rounds one by one, and --rounds 1 fills them with 1: give --rounds -1," in refused(
        "one-by-one", story_file, *TEXT, "--rounds", 1
    )


def test_an_old_folder_says_nothing_of_rounds(pythia: Path, dense: Command, refused: Command) -> None:
    """It is read as ever; --rounds is then the user's to say."""
    dense("add", pythia, "old")
    written = json.loads(Path("old/dense.json").read_text())
    assert set(written) == {"token", "vector", "share_positions"}
    assert "can't be read" in refused("old", "nowhere.jsonl", "--questions", "--rounds", 3)


def test_no_rounds_at_all(pythia: Path, story_file: Path, refused: Command) -> None:
    assert "--rounds 0 fills no dense token" in refused(pythia, story_file, *TEXT, "--rounds", 0)


def test_vectors_that_are_no_numbers(pythia: Path, story_file: Path, refused: Command) -> None:
    wrapped, tokenizer = wrap_folder(pythia)
    assert isinstance(wrapped.model, GPTNeoXForCausalLM)
    with torch.no_grad():
        wrapped.model.gpt_neox.final_layer_norm.weight.fill_(3e38)  # a number, but not times two
    save_dense(wrapped, tokenizer, Path("broken"))
    told = refused("broken", story_file, *TEXT)
    assert "vectors hold numbers that are not finite" in told and "look at the weights" in told


def test_a_cache_with_another_name(
    pythia: Path, story_file: Path, refused: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hornbook.dense_tokens.fitness.cache_name", lambda _: None)
    monkeypatch.setattr("hornbook.dense_tokens.fitness.version", lambda _: "5.20.0")
    monkeypatch.setattr("hornbook.internals.version", lambda _: "5.20.0")
    told = refused(pythia, story_file, *TEXT)
    assert "GPTNeoXForCausalLM of transformers 5.20.0 takes no cache" in told
    assert re.search(r'pip install "transformers==5\.\d+\.\*"$', told)


@pytest.mark.long
def test_a_release_without_the_class_of_the_cache(pythia: Path, story_file: Path) -> None:
    code = f"""
import sys, transformers
find = type(transformers).__getattr__
def hide(module, name):
    if module.__name__ == "transformers" and name == "DynamicCache":
        raise AttributeError(name)
    return find(module, name)
type(transformers).__getattr__ = hide
sys.argv = ["hornbook", "dense", "try", {str(pythia)!r}, {str(story_file)!r}]
from hornbook.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=pythia.parent)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    told = r"hornbook: transformers \S+ has no DynamicCache .* install the release that was tested"
    assert re.search(told, done.stderr), done.stderr
