"""`hornbook tokenizer import`: a folder with the ids of the original, and the template asked for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece
from transformers import AutoTokenizer

Run = Callable[..., str]


@pytest.fixture
def model(stories: list[str], tmp_path: Path) -> str:
    with (tmp_path / "spiece.model").open("wb") as file:
        sentencepiece.SentencePieceTrainer.Train(
            sentence_iterator=iter(stories), model_writer=file, vocab_size=200, hard_vocab_limit=False,
            pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2,
        )  # fmt: skip
    return "spiece.model"


def test_import_for_a_family(run: Run, model: str, stories: list[str]) -> None:
    told = json.loads(run("import", model, "--out", "new", "--for", "t5", "--length", "77", "--json"))
    theirs = sentencepiece.SentencePieceProcessor(model_file=model)
    loaded = AutoTokenizer.from_pretrained("new")
    assert told["kind"] == "Unigram" and told["entries"] == len(loaded) == theirs.get_piece_size()
    assert told["roles"]["eos_token"] == {"token": "</s>", "id": 1} and "bos_token" not in told["roles"]
    assert loaded.model_max_length == 77
    assert [loaded.encode(text) for text in stories] == [[*theirs.encode(text), 1] for text in stories]


def test_import_as_it_is(run: Run, model: str, stories: list[str]) -> None:
    said = run("import", ".", "--out", "new")
    theirs = sentencepiece.SentencePieceProcessor(model_file=model)
    loaded = AutoTokenizer.from_pretrained("new")
    assert [loaded.encode(text) for text in stories] == [theirs.encode(text) for text in stories]
    assert "pad <pad> at 0" in said
    seen = json.loads(run("inspect", "new", "--json"))["new"]
    assert seen["template"] == "A" and seen["entries"] == len(loaded)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere", "--out", "new"), "there is no nowhere"),
        (("spiece.model", "--out", "spiece.model"), "something is there already"),
        (("spiece.model", "--out", "new", "--for", "brt"), "did you mean 'bert'"),
        (("spiece.model", "--out", "new", "--for", "bert"), "a masked model needs cls_token"),
        (("other.bin", "--out", "new"), "is not a tokenizer's file"),
    ],
)
def test_mistakes_get_one_line_and_leave_nothing(run: Run, model: str, words: tuple[str], told: str) -> None:
    Path("other.bin").write_bytes(b"\x80\x04.")
    said = run("import", *words, code=2)
    assert told in said and "\n" not in said
    assert not Path("new").exists()
