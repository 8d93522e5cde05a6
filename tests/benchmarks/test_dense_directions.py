"""What the study of directions computes, on vectors whose directions are known."""

import pytest
import torch

from benchmarks.dense_directions import compare, nearest, probe

TABLE = torch.eye(4, 6) * torch.tensor([1.0, 2.0, 3.0, 4.0])[:, None]  # four words at right angles


def test_a_vector_along_a_word_has_cosine_one_and_rank_one() -> None:
    found = compare(5 * TABLE[[2, 0]], TABLE, {"own": torch.tensor([2, 0]), "other": torch.tensor([1, 1])})
    assert found["own"] == pytest.approx((1.0, 1.0))
    assert found["other"] == pytest.approx((0.0, 2.0))  # three words are equally far: none of them is nearer
    assert found["any word"] == pytest.approx((0.25, 2.5))


def test_a_nearest_word_keeps_the_vectors_length() -> None:
    vectors = torch.tensor([[0.1, 0.9, 0.0, 0.0, 0.2, 0.0], [0.0, 0.0, 0.0, -3.0, 0.0, 0.1]])
    replaced = nearest(vectors, TABLE)
    assert replaced[0].argmax() == 1
    assert replaced.norm(dim=-1) == pytest.approx(vectors.norm(dim=-1).numpy())


def test_a_probe_reads_what_is_there_and_nothing_else() -> None:
    torch.manual_seed(0)
    wanted = torch.randint(0, 3, (600,))
    features = torch.randn(600, 8)
    assert probe(features, wanted, 3) < 0.5
    features[:, :3] += 4 * torch.eye(3)[wanted]
    assert probe(features, wanted, 3) > 0.95
