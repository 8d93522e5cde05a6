"""Public tasks: the four ways to read against the class alone and against dense sequences by hand."""

from collections.abc import Callable

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hornbook.dense_tokens import DenseModel, add_dense_token
from hornbook.dense_tokens.public_tasks import answer_with
from hornbook.evaluation.questions import Question

QUESTIONS = [
    Question("w1 w2 w3", (" w4 w5", " w6", " w7 w8 w9"), 1),
    Question("w9", (" w0", " w3 w3"), 0),
    Question("w4 w4 w2 w11", (" w12 w13",), 0),
]


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_against_sequences_by_hand(
    count: int, model: Callable[..., PreTrainedModel], tokenizer: PreTrainedTokenizerFast
) -> None:
    """Asked one by one, without the padding of a batch."""
    plain = model("llama")
    dense = DenseModel(plain.eval(), add_dense_token(plain, tokenizer))
    found = {
        way: answer_with(dense, tokenizer, QUESTIONS, way, count)
        for way in ("plain", "pause", "random", "dense")
    }
    for way in ("plain", "pause", "dense"):
        nats = 0.0
        for question in QUESTIONS:
            before, after = (
                [int(word[1:]) for word in text.split()]
                for text in (question.context, question.continuations[question.label])
            )
            thinking = [] if way == "plain" else [dense.dense_id] * count
            ids = torch.tensor([[25, *before, *thinking, *after]])
            with torch.no_grad():
                filled = dense(ids, rounds=None if way == "dense" else 0)
                logits = dense.logits(filled.hidden)[0, -len(after) - 1 : -1]
            logits[:, dense.dense_id] = -torch.inf
            nats -= float(logits.log_softmax(-1)[torch.arange(len(after)), after].sum())
        size = sum(len(question.continuations[question.label]) for question in QUESTIONS)
        assert found[way].bits_per_byte == pytest.approx(nats / 0.6931472 / size, rel=1e-5)
    assert len({round(one.bits_per_byte, 6) for one in found.values()}) == 4
    again = answer_with(dense, tokenizer, QUESTIONS, "random", count)
    assert again.bits_per_byte == found["random"].bits_per_byte
