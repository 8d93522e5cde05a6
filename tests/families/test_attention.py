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

    with (
        mock.patch.object(attention, "draw_signs", return_value=kept * 2 - 1),
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
        with mock.patch.object(attention, "sdpa_attention_forward", side_effect=AssertionError):
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


def test_without_either_the_fused_kernel_is_used() -> None:
    query, key, value, _ = given(6, 6)
    with mock.patch.object(attention, "_Attention", None):
        attend(Layer(), query, key, value, None, 0.0, 1.0)
