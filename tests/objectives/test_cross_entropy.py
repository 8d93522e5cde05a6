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
    monkeypatch.setattr(chunked, "_ROWS", rows)
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


HALF, SINGLE, DOUBLE = torch.bfloat16, torch.float32, torch.float64
UNITS = {HALF: 2**-8, SINGLE: 2**-24, DOUBLE: 2**-53}
"""The unit roundoff of each format."""


@pytest.mark.parametrize("autocast", [True, False])
@pytest.mark.parametrize("kernels", ["own", "torch"])
@pytest.mark.parametrize(
    "formats",
    [
        (HALF, HALF, HALF),
        (SINGLE, SINGLE, SINGLE),
        (DOUBLE, DOUBLE, DOUBLE),
        (HALF, SINGLE, SINGLE),  # features that a layer under autocast gave
        (SINGLE, HALF, SINGLE),
        (SINGLE, SINGLE, HALF),
        (HALF, DOUBLE, SINGLE),
        (DOUBLE, HALF, HALF),
    ],
)
def test_formats_may_differ(
    formats: tuple[torch.dtype, ...], kernels: str, autocast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loss and gradients are PyTorch's in fp64, to the roundings of the format that the products have.

    A logit's two factors, its bias and the logit itself are rounded, which moves it by 4 units of the largest at most,
    and the loss of its row by twice that. For a gradient, the slope, its other factor and the result are rounded too:
    4 + 3 units, and 8 with the sum over rows.
    """
    monkeypatch.setattr(chunked, "_ROWS", 7)
    monkeypatch.setattr(chunked, "_ROWS_ELSEWHERE", 10)
    monkeypatch.setattr(chunked, "own_kernels", lambda device: kernels == "own")
    torch.manual_seed(0)
    shapes = (64, 16), (50, 16), (50,)
    inputs = [
        torch.randn(shape).mul(scale).to(number).requires_grad_()
        for shape, scale, number in zip(shapes, (1, 0.25, 1), formats, strict=True)
    ]
    exact = [one.detach().double().requires_grad_() for one in inputs]
    labels = torch.randint(50, (64,))
    output = nn.Linear(16, 50)
    output.weight, output.bias = nn.Parameter(inputs[1]), nn.Parameter(inputs[2])
    learned = (inputs[0], output.weight, output.bias)
    with torch.autocast("cpu", HALF, enabled=autocast):
        ours = linear_cross_entropy(inputs[0], output, labels)
    theirs = cross_entropy(nn.functional.linear(*exact), labels, reduction="sum")
    widest = DOUBLE if DOUBLE in formats else SINGLE if SINGLE in formats else HALF
    number = HALF if autocast and widest != DOUBLE else widest
    assert ours.dtype == torch.promote_types(number, SINGLE)
    largest = nn.functional.linear(*(one.detach().abs() for one in exact)).max().item()
    # The sum itself is in fp32 at least, over rows of which each may add half a unit.
    assert abs(ours.item() - theirs.item()) <= 64 * 8 * UNITS[number] * largest
    with torch.autocast("cpu", HALF, enabled=not autocast):
        found = torch.autograd.grad(ours, learned)
    expected = torch.autograd.grad(theirs, exact)
    for mine, right, given in zip(found, expected, learned, strict=True):
        assert mine.dtype == given.dtype
        unit = max(UNITS[number], UNITS[given.dtype])
        assert (mine.double() - right).norm() <= 8 * unit * right.norm()


def test_narrow_weights_gather_their_gradient_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Added up in bf16, a few rows at a time, the sum would stand still once it is 256 times what is added."""
    monkeypatch.setattr(chunked, "_ROWS", 1)
    monkeypatch.setattr(chunked, "_ROWS_ELSEWHERE", 1)
    torch.manual_seed(0)
    output, labels = nn.Linear(4, 9).to(HALF), torch.zeros(2000, dtype=torch.int64)
    features = torch.ones(2000, 4, dtype=HALF)
    expected = torch.autograd.grad(
        cross_entropy(output.double()(features.double()), labels, reduction="sum"), output.weight
    )
    output = output.to(HALF)
    found = torch.autograd.grad(linear_cross_entropy(features, output, labels), output.weight)
    assert (found[0].double() - expected[0]).norm() <= 8 * 2**-8 * expected[0].norm()


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
