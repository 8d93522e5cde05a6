"""The loss without all of its logits is PyTorch's own, in value and in gradient."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from hornbook.objectives import cross_entropy as chunked
from hornbook.objectives.cross_entropy import linear_cross_entropy


def gradients(total: torch.Tensor, *learned: torch.Tensor | None) -> list[torch.Tensor]:
    return list(torch.autograd.grad(total * 0.37, [one for one in learned if one is not None]))


@pytest.mark.parametrize("rows", [1, 7, 24, 100])
@pytest.mark.parametrize("bias", [True, False])
def test_value_and_gradients_are_autograds(rows: int, bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(chunked._ROWS, "cpu", rows)
    torch.manual_seed(0)
    output = nn.Linear(16, 50, bias=bias).double()
    features = torch.randn(24, 16, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(50, (24,))

    ours = linear_cross_entropy(features, output, labels)
    theirs = cross_entropy(output(features), labels, reduction="sum")

    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    learned = (features, output.weight, output.bias)
    for found, expected in zip(gradients(ours, *learned), gradients(theirs, *learned), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_bf16_is_as_near_as_bf16_can_be() -> None:
    torch.manual_seed(0)
    output, features = nn.Linear(32, 200), torch.randn(64, 32, requires_grad=True)
    labels = torch.randint(200, (64,))
    with torch.autocast("cpu", torch.bfloat16):
        ours = linear_cross_entropy(features, output, labels)
    theirs = cross_entropy(output(features), labels, reduction="sum")
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=0)
    found, expected = (gradients(one, features, output.weight) for one in (ours, theirs))
    for mine, right in zip(found, expected, strict=True):
        assert mine.dtype == torch.float32
        assert (mine - right).norm() < 0.01 * right.norm()


def test_no_labels_are_no_loss() -> None:
    output = nn.Linear(4, 9)
    total = linear_cross_entropy(torch.zeros(0, 4), output, torch.zeros(0, dtype=torch.int64))
    total.backward()
    assert total.item() == 0
    assert output.weight.grad is not None and not output.weight.grad.any()


def test_large_logits_stay_finite() -> None:
    output = nn.Linear(1, 3, bias=False)
    output.weight.data = torch.tensor([[1e4], [0.0], [-1e4]])
    total = linear_cross_entropy(torch.ones(1, 1), output, torch.tensor([2]))
    assert total.item() == pytest.approx(2e4)


def test_a_second_gradient_is_refused() -> None:
    output = nn.Linear(4, 9)
    total = linear_cross_entropy(torch.randn(3, 4), output, torch.tensor([1, 2, 3]))
    total.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()
