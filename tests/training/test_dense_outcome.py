"""Figures of a trial from trainings that never were."""

import numpy as np
import pytest
from tokenizers import ByteLevelBPETokenizer
from transformers import PreTrainedTokenizerFast

from hornbook.training.dense_outcome import pieces

DENSE = 300


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerFast:
    """Bytes alone, so that a letter with an accent takes two tokens."""
    rust = ByteLevelBPETokenizer()
    rust.train_from_iterator(["a"], vocab_size=257, special_tokens=["<|endoftext|>"], show_progress=False)
    return PreTrainedTokenizerFast(tokenizer_object=rust._tokenizer, eos_token="<|endoftext|>")


@pytest.mark.parametrize("text", ["an égg", "\u0645\u0631\u062d ab", "<b>&", "日本"])
def test_pieces_make_the_text_and_sum_to_its_nats(text: str, tokenizer: PreTrainedTokenizerFast) -> None:
    ids = tokenizer(text)["input_ids"]
    rng = np.random.default_rng(0)
    dense, plain = rng.random((2, len(ids) - 1))
    mixed = [*ids[:2], DENSE, DENSE, *ids[2:]]
    scored = [False, True, False, False, *[True] * (len(ids) - 2)]
    found = pieces(tokenizer, mixed, scored, DENSE, dense, plain)
    assert "".join(one["text"] for one in found) == text
    assert [one["token"] for one in found].count(True) == 2
    for name, nats in (("dense", dense), ("plain", plain)):
        assert sum(one[name] or 0 for one in found) == pytest.approx(nats.sum())
    assert all("\ufffd" not in one["text"] for one in found)


def test_a_text_that_ends_within_a_character_keeps_its_nats(tokenizer: PreTrainedTokenizerFast) -> None:
    ids = tokenizer("aé")["input_ids"][:-1]
    found = pieces(tokenizer, ids, [False, True], DENSE, np.array([2.0]), np.array([1.0]))
    assert [one["text"] for one in found] == ["a", "\ufffd"] and found[1]["dense"] == 2.0
