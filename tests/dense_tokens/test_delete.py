"""Useless dense tokens: the guess against finite differences, the confirmation against lists."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from hornbook.dense_tokens import DenseModel
from hornbook.dense_tokens.delete import delete_from, delete_useless, nats, worth
from hornbook.dense_tokens.loss import losses
from hornbook.dense_tokens.selection import Selection

DENSE = 29


@pytest.fixture
def dense(model: Callable[..., PreTrainedModel]) -> DenseModel:
    return DenseModel(model("gpt_neox").double().eval(), DENSE)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(2)
    ids = torch.randint(0, 26, (4, 14), generator=rng)
    ids[torch.rand(ids.shape, generator=rng) < 0.3] = DENSE
    real = torch.ones_like(ids, dtype=torch.bool)
    real[2, 10:] = False
    return ids, real


def test_worth_is_the_slope(dense: DenseModel) -> None:
    ids, real = batch()
    layout = dense.layout(ids, real)
    found = worth(dense, ids, layout)
    with torch.no_grad():
        vectors = dense(ids, layout).vectors

        def total(row: int, column: int, share: float) -> float:
            changed = vectors.clone()
            changed[row, column] *= 1 - share
            return float(losses(dense.consume(ids, layout, changed), ids, layout, DENSE).words.sum())

        for row, column in layout.fed.nonzero().tolist():
            slope = (total(row, column, 1e-5) - total(row, column, -1e-5)) / 2e-5
            assert float(found[row, column]) == pytest.approx(slope, rel=1e-5, abs=1e-8)
    assert not found[~layout.fed].any()


def test_deletion_against_lists(dense: DenseModel) -> None:
    ids, real = batch()
    layout = dense.layout(ids, real)
    useless, saved = delete_useless(dense, ids, real)
    suspects = layout.fed & (worth(dense, ids, layout) < 0)
    assert useless.any() and (suspects & ~useless).any()  # both happen in this batch
    assert not (useless & ~suspects).any()
    for row, column in suspects.nonzero().tolist():
        whole = ids[row][real[row]].tolist()
        less = whole[:column] + whole[column + 1 :]
        before, after = (
            float(nats(dense, torch.tensor([one]), torch.ones(1, len(one), dtype=torch.bool)))
            for one in (whole, less)
        )
        assert saved[row, column] == pytest.approx(before - after, abs=1e-9)
        assert bool(useless[row, column]) == (before - after >= 0)


def test_a_selection_without_useless_tokens(dense: DenseModel) -> None:
    """No text gets less likely, and what goes was there before."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, 26, (60, 12))
    places = np.sort(rng.integers(0, 11, (60, 4)), axis=1)
    kept = Selection(words, places, words[:2], 4.0, {"tokenizer": "x"})
    fewer = delete_from(dense, kept)

    def likelihood(of: Selection, row: int) -> float:
        ids: list[int] = []
        for column, word in enumerate(of.words[row].tolist()):
            ids += [word, *[DENSE] * int((of.places[row] == column).sum())]
        return float(nats(dense, torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.bool)))

    before, after = ([likelihood(of, row) for row in range(60)] for of in (kept, fewer))
    changed = 0
    for row in range(60):
        left = [place for place in fewer.places[row].tolist() if place < 12]
        gone = places[row].tolist()
        for place in left:
            gone.remove(place)  # raises unless it was there
        assert after[row] <= before[row] + 1e-9
        changed += len(gone)
    told = fewer.facts["deleted"]
    assert told["deleted"] == changed == kept.tokens - fewer.tokens > 0
    assert told["before"] == pytest.approx(sum(before) / 660)
    assert told["after"] == pytest.approx(sum(after) / 660)
    assert told["after"] < min(told["before"], told["as many by chance"])
