"""Where a model thinks of its own accord, against reading everything again after each word."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from hornbook.dense_tokens import DenseModel, DenseOptions
from hornbook.dense_tokens.emit import emitted_places
from hornbook.dense_tokens.insert import Ints
from hornbook.rng import CounterRNG

DENSE = 29


def eager(model: PreTrainedModel) -> PreTrainedModel:
    """Let it like dense tokens."""
    with torch.no_grad():
        model.get_output_embeddings().weight[DENSE] *= 3.0
    return model.double().eval()


def words(rows: int, length: int) -> Ints:
    return np.random.default_rng(0).integers(0, DENSE, (rows, length))


def again(dense: DenseModel, text: Ints, uniform: np.ndarray) -> list[int]:
    """From scratch after each word."""
    read, found = [], []
    for column, word in enumerate(text[:-1].tolist()):
        read.append(word)
        with torch.no_grad():
            filled = dense(torch.tensor([read]), rounds=read.count(DENSE))
            chance = filled.head(filled.hidden)[0, -1].softmax(-1)[DENSE]
        if uniform[column] < chance:
            read.append(DENSE)
            found.append(column)
    return found


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("kind", ["gpt_neox", "gpt_neo", "llama"])
def test_a_batch_thinks_where_its_rows_do(
    kind: str, share: bool, model: Callable[..., PreTrainedModel]
) -> None:
    dense = DenseModel(eager(model(kind, seed=3)), DENSE, DenseOptions(share_positions=share))
    texts = words(6, 12)
    places = emitted_places(dense, texts, 5, batch=4)
    uniform = CounterRNG(5, "emit", np.arange(6)).uniform("token", 12)
    expected = [again(dense, text, drawn) for text, drawn in zip(texts, uniform, strict=True)]
    assert [[place for place in row if place < 12] for row in places.tolist()] == expected
    assert 0 < sum(map(len, expected)) < 6 * 11
    assert places.shape == (6, max(map(len, expected)))


def test_it_leaves_room_for_the_words(model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(eager(model("gpt2")), DENSE, DenseOptions(share_positions=False))
    with torch.no_grad():
        dense.model.get_output_embeddings().weight[DENSE] *= 100.0
    texts = words(4, 46)  # of 48 positions
    counts = (emitted_places(dense, texts, 0) < 46).sum(1)
    assert counts.max() == 2
    dense = DenseModel(dense.model, DENSE)  # that share positions take none
    counts = (emitted_places(dense, words(4, 48), 0) < 48).sum(1)
    assert counts.max() > 20


def test_a_model_that_never_thinks(model: Callable[..., PreTrainedModel]) -> None:
    plain = model("gpt_neox").double().eval()
    with torch.no_grad():
        head = plain.get_output_embeddings()
        head.weight.zero_()
    dense = DenseModel(plain, DENSE)
    dense.model.set_output_embeddings(_Never(head))
    assert emitted_places(dense, words(3, 9), 0).shape == (3, 0)


class _Never(torch.nn.Module):
    """A head that gives the dense token no chance."""

    def __init__(self, head: torch.nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(hidden)
        return logits.index_fill(-1, torch.tensor(DENSE), -torch.inf)
