"""Vectors and what they are replaced by."""

import pytest
import torch

from hornbook.dense_tokens.vector import Carrier, ablate


def test_rms_vectors_are_as_long_as_embeddings() -> None:
    hidden, table = torch.randn(7, 5) * 40, torch.randn(11, 5) * 0.02
    vectors = Carrier("rms", table, lambda state: state, 0)(hidden)
    size = table.pow(2).mean().sqrt()
    torch.testing.assert_close(vectors.pow(2).mean(-1).sqrt(), size.expand(7))
    torch.testing.assert_close(torch.cosine_similarity(vectors, hidden), torch.ones(7))


def test_soft_vectors_are_mean_embeddings_of_words() -> None:
    table = torch.randn(4, 3)
    sure = torch.tensor([[0.0, 80.0, 0.0, 0.0], [0.0, 0.0, 90.0, 0.0]])
    vectors = Carrier("soft", table, lambda state: state, 2)(sure)
    torch.testing.assert_close(vectors[0], table[1])
    torch.testing.assert_close(vectors[1], table[[0, 1, 3]].mean(0))  # token 2 is left out


def test_ablations() -> None:
    fed = torch.zeros(6, 4, dtype=torch.bool)
    fed[:, 1], fed[:, 3] = True, True
    vectors = torch.randn(6, 4, 8, dtype=torch.float64) * fed[..., None]

    def replaced(kind: str) -> torch.Tensor:
        return ablate(kind, vectors, fed, torch.Generator().manual_seed(0))  # type: ignore[arg-type]

    assert not replaced("zero").any()
    shuffled = replaced("shuffle")
    source = [int((vectors == row).flatten(1).all(1).nonzero()) for row in shuffled]
    assert sorted(source) == list(range(6)) and all(row != other for row, other in enumerate(source))
    torch.testing.assert_close(replaced("mean")[2], vectors.mean(0))
    noise = replaced("noise")
    torch.testing.assert_close(noise.norm(dim=-1), vectors.norm(dim=-1))
    cosines = torch.cosine_similarity(noise, vectors, dim=-1)[fed]
    assert cosines.abs().max() < 0.95
    for kind in ("shuffle", "mean", "noise"):
        assert not replaced(kind)[~fed].any()


@pytest.mark.parametrize("rows", [1, 2])
def test_shuffling_needs_two_rows(rows: int) -> None:
    vectors = torch.randn(rows, 1, 4)
    shuffled = ablate(
        "shuffle", vectors, torch.ones(rows, 1, dtype=torch.bool), torch.Generator().manual_seed(0)
    )
    assert torch.equal(shuffled, vectors.flip(0))
