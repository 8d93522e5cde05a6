"""Our attention is Hugging Face's eager one, in value and in gradient, with the same dropout."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest
import torch
from torch import Tensor, nn
from transformers.models.t5.modeling_t5 import eager_attention_forward

from hornbook.families import attention
from hornbook.families.attention import attend

KEPT = 0.75
HALF, SINGLE, DOUBLE = torch.bfloat16, torch.float32, torch.float64
UNITS = {HALF: 2**-8, SINGLE: 2**-24, DOUBLE: 2**-53}
"""The unit roundoff of each format."""
ROUNDINGS = 12
"""On the longest path to a gradient: 3 of an input, 2 of the scores, the weights, what they give, and 5 back."""


class Layer(nn.Module):
    """What an attention function reads from the layer that calls it."""

    is_causal = False


def given(targets: int, sources: int) -> list[Tensor]:
    torch.manual_seed(0)
    shapes = [(2, 3, targets, 8), (2, 3, sources, 8), (2, 3, sources, 8), (1, 3, targets, sources)]
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


@contextmanager
def same_dropout(targets: int, sources: int) -> Iterator[None]:
    """Let both drop the same weights."""
    kept = (torch.rand(2, 3, targets, sources) < KEPT).double()

    def dropout(weights: Tensor, p: float, training: bool) -> Tensor:
        return weights * kept / (1 - p) if p else weights

    def signs(like: Tensor, negative: float) -> Tensor:
        return (kept * 2 - 1).to(like.dtype)

    with (
        mock.patch.object(attention, "draw_signs", signs),
        mock.patch.object(nn.functional, "dropout", dropout),
    ):
        yield


@pytest.mark.parametrize("dropout", [0.0, 1 - KEPT])
@pytest.mark.parametrize("masked", ["nothing", "keys", "after"])
@pytest.mark.parametrize("sources", [7, 5])
def test_value_and_gradients(dropout: float, masked: str, sources: int) -> None:
    query, key, value, bias = tensors = given(7, sources)
    masks = {
        "nothing": None,
        "keys": torch.arange(sources).expand(2, 1, 1, sources) < torch.tensor([4, 3])[:, None, None, None],
        "after": torch.ones(1, 1, 7, sources, dtype=torch.bool).tril(),
    }
    mask = masks[masked]
    added = None if mask is None else torch.where(mask, 0.0, -torch.inf)
    layer = Layer().train()
    with same_dropout(7, sources):
        with mock.patch.object(attention, "_sdpa_attention_forward", side_effect=AssertionError):
            ours, _ = attend(layer, query, key, value, mask, dropout, 0.3, position_bias=bias)
        theirs, _ = eager_attention_forward(
            layer, query, key, value, added, scaling=0.3, dropout=dropout, position_bias=bias
        )
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    slope = torch.randn_like(ours)
    found, expected = (torch.autograd.grad((one * slope).sum(), tensors) for one in (ours, theirs))
    for mine, right in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, right, rtol=1e-12, atol=1e-12)


def test_a_causal_layer_sees_nothing_after() -> None:
    query, key, value, bias = given(6, 6)
    layer = Layer()
    layer.is_causal = True
    seen, _ = attend(layer, query, key, value, None, 0.0, 1.0, position_bias=bias)
    mask = torch.ones(1, 1, 6, 6, dtype=torch.bool).tril()
    told, _ = attend(Layer(), query, key, value, mask, 0.0, 1.0, position_bias=bias)
    torch.testing.assert_close(seen, told)


def test_dropout_drops_as_many_as_it_says_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    query, key = torch.zeros(4, 4, 64, 8), torch.zeros(4, 4, 64, 8)
    value = torch.eye(64).expand(4, 4, 64, 64)
    weights, _ = attend(Layer(), query, key, value, None, dropout=0.1, scaling=1.0)
    assert set(weights.unique().mul(64 * 0.9).round(decimals=5).tolist()) == {0.0, 1.0}
    assert (weights == 0).double().mean().item() == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize(("dtype", "length"), [(SINGLE, 64), (HALF, 512)])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_a_long_text_takes_the_fused_kernel_and_a_short_one_ours(
    dtype: torch.dtype, length: int, masked: bool, causal: bool
) -> None:
    """Both give the same, with and without a mask, to a few roundings."""
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 2, length + 1, 8, dtype=dtype) for _ in range(3))
    mask = torch.rand(1, 1, length + 1, length + 1) < 0.5 if masked else None
    if mask is not None:
        mask = (mask | torch.eye(length + 1, dtype=torch.bool)).tril() if causal else mask
    layer = Layer()
    layer.is_causal = causal
    with mock.patch.object(attention, "_Attention", None):
        fused, _ = attend(layer, query, key, value, mask, 0.0, 0.3)
    with mock.patch.object(attention, "_sdpa_attention_forward", None):
        attend(layer, *(one[:, :, 1:] for one in (query, key, value)), None, 0.0, 0.3)
    with (
        mock.patch.multiple(attention, _SHORT=length + 1, _SHORT_BF16=length + 1),
        mock.patch.object(attention, "_sdpa_attention_forward", None),
    ):
        ours, _ = attend(layer, query, key, value, mask, 0.0, 0.3)
    assert (ours.double() - fused.double()).norm() <= ROUNDINGS * UNITS[dtype] * fused.double().norm()


@pytest.mark.parametrize("autocast", [True, False])
@pytest.mark.parametrize("mask", [None, torch.bool, HALF, SINGLE, DOUBLE])
@pytest.mark.parametrize(
    ("kernels", "dropout"),
    [("own", 0.0), ("own", 1 - KEPT), ("torch", 0.0)],  # PyTorch's dropout draws inside its kernel
)
@pytest.mark.parametrize(
    "formats",
    [
        (HALF,) * 4,
        (SINGLE,) * 4,
        (DOUBLE,) * 4,
        (HALF, HALF, HALF, SINGLE),  # a T5 under autocast: its table of distances stays in fp32
        (SINGLE, SINGLE, HALF, SINGLE),  # rotary embeddings under autocast
        (HALF, SINGLE, SINGLE, HALF),
        (DOUBLE, HALF, SINGLE, SINGLE),
        (SINGLE, SINGLE, SINGLE, DOUBLE),
    ],
)
def test_formats_may_differ(
    formats: tuple[torch.dtype, ...],
    kernels: str,
    dropout: float,
    mask: torch.dtype | None,
    autocast: bool,
) -> None:
    """Value and gradients are Hugging Face's in fp64, to the roundings of the format that the products have.

    The bound is `ROUNDINGS` units of the format's roundoff, of the tensor's length.
    """
    inputs = [
        one.detach().to(number).requires_grad_() for one, number in zip(given(7, 5), formats, strict=True)
    ]
    exact = [one.detach().double().requires_grad_() for one in inputs]
    seen = torch.arange(5).expand(2, 1, 1, 5) < torch.tensor([4, 3])[:, None, None, None]
    added = None if mask is None else torch.where(seen, 0.0, -torch.inf).double()
    # What Hugging Face adds to hide a place: the lowest number of the mask's format.
    masks = {None: None, torch.bool: seen}
    if mask not in masks:
        masks[mask] = torch.zeros(seen.shape, dtype=mask).masked_fill(~seen, torch.finfo(mask).min)
    layer = Layer().train()
    with (
        same_dropout(7, 5),
        mock.patch.object(attention, "own_kernels", return_value=kernels == "own"),
    ):
        with torch.autocast("cpu", HALF, enabled=autocast):
            *factors, bias = inputs
            ours, _ = attend(layer, *factors, masks[mask], dropout, 0.3, position_bias=bias)
        theirs, _ = eager_attention_forward(
            layer, *exact[:3], added, scaling=0.3, dropout=dropout, position_bias=exact[3]
        )
    wide = DOUBLE in formats[:3]
    widest = DOUBLE if wide else SINGLE if SINGLE in formats[:3] else HALF
    number = HALF if autocast and not wide else widest
    assert ours.dtype == number
    slope = torch.randn_like(theirs).to(number)
    # A gradient may be asked for while autocast is on or off, whatever it was before.
    with torch.autocast("cpu", HALF, enabled=not autocast and kernels == "own"):
        found = torch.autograd.grad(ours, inputs, slope)
    expected = torch.autograd.grad(theirs, exact, slope.double())
    assert [one.dtype for one in found] == [one.dtype for one in inputs]
    for mine, right in zip((ours, *found), (theirs, *expected), strict=True):
        unit = max(UNITS[number], UNITS[mine.dtype])
        assert (mine.double() - right).norm() <= ROUNDINGS * unit * right.norm()


@pytest.mark.parametrize("mask", [HALF, SINGLE, DOUBLE])
@pytest.mark.parametrize("kernels", ["own", "torch"])
def test_a_place_that_sees_nothing_gives_numbers(kernels: str, mask: torch.dtype) -> None:
    """The lowest number of fp32 is -inf in bf16, and a softmax of nothing but -inf is no number."""
    query, key, value, bias = (one.detach().to(HALF).requires_grad_() for one in given(7, 5))
    nothing = torch.full((2, 1, 1, 5), torch.finfo(mask).min, dtype=mask)
    with mock.patch.object(attention, "own_kernels", return_value=kernels == "own"):
        mixed, _ = attend(Layer(), query, key, value, nothing, 0.0, 0.3, position_bias=bias)
    assert mixed.isfinite().all()


def test_heads_of_queries_share_keys_and_values() -> None:
    """Against PyTorch's own grouped attention, with a bias that learns, so that ours is the one that computes."""
    torch.manual_seed(0)
    query = torch.randn(2, 4, 5, 8, dtype=torch.float64, requires_grad=True)
    key, value = (torch.randn(2, 2, 5, 8, dtype=torch.float64, requires_grad=True) for _ in range(2))
    bias = torch.zeros(1, 4, 5, 5, dtype=torch.float64, requires_grad=True)
    ours, _ = attend(nn.Identity(), query, key, value, None, is_causal=False, position_bias=bias)
    plain = torch.nn.functional.scaled_dot_product_attention(query, key, value, enable_gqa=True).transpose(
        1, 2
    )
    assert torch.allclose(ours, plain, atol=1e-12)
    weights = torch.randn_like(plain)
    for one, other in zip(
        torch.autograd.grad((ours * weights).sum(), (query, key, value)),
        torch.autograd.grad((plain * weights).sum(), (query, key, value)),
        strict=True,
    ):
        assert torch.allclose(one, other, atol=1e-12)
