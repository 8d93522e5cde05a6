"""The document mask: a packed document is computed as if it stood alone."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedTokenizerFast

from hornbook.families import find
from hornbook.objectives import Vocabulary
from hornbook.objectives.batch_to_loss import compute_loss
from hornbook.objectives.causal import Causal
from hornbook.rng import CounterRNG

EOS = 2
ROWS = [
    [5, 6, 7, 8, 9, 10, EOS, 11, 12, 13, 14, 15, 16, 17, 18, 19, EOS, 20, 21, 22],  # begins within a document
    [EOS, 5, 6, 7, EOS, EOS, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, EOS],  # one of them is empty
    list(range(30, 50)),  # and a row that is one document
]


def positions_by_hand(row: list[int]) -> list[int]:
    place, places = -1, []
    for token in row:
        place = 0 if token == EOS else place + 1
        places.append(place)
    return places


def documents(row: list[int]) -> list[slice]:
    """Where each document of a row stands, with the end token before it."""
    edges = [0, *(place for place, token in enumerate(row) if token == EOS and place), len(row)]
    return [slice(first, last) for first, last in pairwise(edges)]


def made(rows: list[list[int]]) -> dict[str, Tensor]:
    windows, nothing = np.array(rows), np.array([], np.int64)
    vocabulary = Vocabulary(96, None, None, EOS, None, nothing, nothing, nothing)
    batch = Causal(document_mask=True).batch(windows, vocabulary, CounterRNG(0, 0, np.arange(len(rows))))
    return {name: torch.from_numpy(array) for name, array in batch.items()}


def test_positions_restart_with_each_end_token() -> None:
    assert made(ROWS)["position_ids"].tolist() == [positions_by_hand(row) for row in ROWS]
    random = np.random.default_rng(0).integers(0, 6, (200, 40)).tolist()
    assert made(random)["position_ids"].tolist() == [positions_by_hand(row) for row in random]


def test_no_label_is_lost_and_the_loss_is_that_of_documents_alone(tokenizer: PreTrainedTokenizerFast) -> None:
    """In a family with local layers, which see 4 tokens back, in documents that are longer and shorter than that."""
    family, objective = find("tinystories-1m"), Causal(document_mask=True)
    config = family.configure("tinystories-1m", tokenizer, 20, family.tiny | {"window_size": 4})
    model = family.build(config, "causal", seed=0).eval()
    for name, parameter in model.named_parameters():  # attention that is far from uniform
        if any(part in name for part in ("q_proj", "k_proj")):
            parameter.data.mul_(20)

    def gradients() -> dict[str, Tensor]:
        found = {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}
        model.zero_grad()
        return found

    batch = made(ROWS)
    packed = family.logits(model, family.hidden(model, batch))
    total, count = compute_loss(family, objective, model, batch)
    total.backward()
    packed_gradients = gradients()

    # Alone: Hugging Face's class on a single document; its end token is the label of its last place.
    alone_total, labels = torch.zeros(()), 0
    for number, row in enumerate(ROWS):
        for place in documents(row):
            logits = model(torch.tensor([row[place]]), use_cache=False).logits[0]
            torch.testing.assert_close(packed[number, place], logits, atol=1e-5, rtol=0)
            following = torch.tensor(row[place.start + 1 : place.stop + 1], dtype=torch.long)
            alone_total = alone_total + cross_entropy(logits[: len(following)], following, reduction="sum")
            labels += len(following)
    alone_total.backward()
    assert count.item() == labels == sum(len(row) - 1 for row in ROWS)
    assert total.item() == pytest.approx(alone_total.item(), abs=1e-3)
    torch.testing.assert_close(packed_gradients, gradients(), atol=1e-4, rtol=1e-4)
