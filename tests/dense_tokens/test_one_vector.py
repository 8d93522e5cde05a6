"""One vector against the class alone, and its gradient against finite differences."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from hornbook.dense_tokens import DenseModel
from hornbook.dense_tokens.measure import to_tensor
from hornbook.dense_tokens.one_vector import _slope, _Texts, one_vector

DENSE = 29


@pytest.fixture
def dense(model: Callable[..., PreTrainedModel]) -> DenseModel:
    return DenseModel(model("gpt2").double().eval(), DENSE)


def test_figures(dense: DenseModel) -> None:
    words = np.random.default_rng(0).integers(0, 26, (5, 12))
    found = one_vector(dense, words, 6)["nats"]
    with torch.no_grad():
        ids = torch.from_numpy(words)
        logits = dense.model(ids).logits[:, 5:-1]
        logits[..., DENSE] = -torch.inf
        plain = cross_entropy(logits.reshape(-1, 30), ids[:, 6:].reshape(-1), reduction="none").view(5, 6)
    assert found["plain text"]["all"] == pytest.approx(float(plain.mean()))
    assert found["plain text"]["first 4"] == pytest.approx(float(plain[:, :4].mean()))
    assert (
        found["optimised on its text"]["all"] < found["own, a step of 0.1 down"]["all"] < found["own"]["all"]
    )
    assert found["optimised on its text"]["all"] < found["optimised on another text"]["all"]


def test_slope(dense: DenseModel) -> None:
    words = np.random.default_rng(1).integers(0, 26, (2, 9))
    words[:, 3] = DENSE
    texts = _Texts(dense, to_tensor(dense, words), 3)
    vectors = torch.randn(2, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    slope = _slope(texts, vectors)
    nudge = torch.zeros_like(vectors)
    nudge[1, 7] = 1e-5
    with torch.no_grad():
        rise = (texts.nats(vectors + nudge) - texts.nats(vectors - nudge)).sum() / 2e-5
    assert float(slope[1, 7]) == pytest.approx(float(rise), rel=1e-6)
    assert slope[0].abs().sum() > 0
