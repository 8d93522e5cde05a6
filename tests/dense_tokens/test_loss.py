"""Losses against Hugging Face's own, and the words against a softmax without the dense token."""

from collections.abc import Callable

import torch
from transformers import PreTrainedModel

from hornbook.dense_tokens import DenseModel
from hornbook.dense_tokens.loss import ahead, losses

DENSE = 29


def test_both_parts_are_the_class_s_own_loss(model: Callable[..., PreTrainedModel]) -> None:
    plain = model("gpt_neox").eval()
    dense = DenseModel(plain, DENSE)
    ids = torch.tensor([[1, 2, DENSE, 3, DENSE, DENSE, 4], [5, DENSE, 6, 7, 8, 9, DENSE]])
    layout = dense.layout(ids)
    with torch.no_grad():
        found = losses(dense(ids, layout, rounds=0), ids, layout, DENSE)
        positions = layout.positions
        theirs = plain(
            ids, position_ids=positions, attention_mask=layout.mask(torch.float32), labels=ids
        ).loss
    whole = (found.words + found.emission).sum() / (ids[:, 1:].numel())
    torch.testing.assert_close(whole, theirs, atol=1e-5, rtol=1e-5)


def test_words_are_a_distribution_over_words(model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(model("gpt2").double().eval(), DENSE)
    ids = torch.tensor([[0, 3, 1, DENSE, 2, 0, 4]])
    real = torch.tensor([[False, True, True, True, True, True, True]])
    documents = torch.tensor([[0, 0, 0, 0, 0, 1, 1]])
    layout = dense.layout(ids, real, documents)
    filled = dense(ids, layout)
    found = losses(filled, ids, layout, DENSE)
    logits = filled.head(filled.hidden)
    for column in range(7):
        if column not in (2, 4, 6):  # padding, a first word, a dense token, another document's first
            assert found.words[0, column] == 0
            continue
        without = logits[0, column - 1, :DENSE].log_softmax(-1)
        torch.testing.assert_close(found.words[0, column], -without[ids[0, column]])
    chance = logits[0, 2].softmax(-1)[DENSE]
    torch.testing.assert_close(found.emission[0, 3], -chance.log())
    torch.testing.assert_close(found.emission[0, 4], -(1 - logits[0, 3].softmax(-1)[DENSE]).log())
    with torch.no_grad():  # in parts, where no gradient is wanted
        torch.testing.assert_close(losses(filled, ids, layout, DENSE).words, found.words)


def test_ahead_asks_the_place_before_for_the_next_word(model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(model("gpt_neox").double().eval(), DENSE)
    ids = torch.tensor([[1, 2, DENSE, DENSE, 3, DENSE, 4, DENSE], [DENSE, 6, DENSE, 7, 8, 9, DENSE, 0]])
    real = torch.tensor([[True] * 8, [True] * 7 + [False]])
    documents = torch.tensor([[0, 0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 0, 0]])
    layout = dense.layout(ids, real, documents)
    filled = dense(ids, layout)
    found = ahead(filled, ids, layout, DENSE)
    logits = filled.head(filled.hidden)[..., :DENSE].log_softmax(-1)
    # Not where a document or a row ends behind the token, nor where nothing stands before it.
    for row, before, word in [(0, 1, 3), (0, 2, 3), (1, 1, 7)]:
        torch.testing.assert_close(found[row, before + 1], -logits[row, before, word])
    assert int((found != 0).sum()) == 3
