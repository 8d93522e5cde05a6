"""The cross-entropy of a vocabulary's softmax, without ever holding all of its logits."""

from typing import Any

import torch
from torch import Tensor, nn

from hornbook.dtypes import product_dtype, sum_dtype
from hornbook.machine import own_kernels

_ROWS, _ROWS_ELSEWHERE = 512, 4096
"""Rows whose logits are held at once, enough for a matrix product to reach its full speed: on a CPU, on a GPU."""


def linear_cross_entropy(features: Tensor, output: nn.Linear, labels: Tensor) -> Tensor:
    """Compute the sum of -log softmax(output(features))[label] in nats, a scalar.

    `features` is (N, width) and `labels` (N,), each an id of the vocabulary. Autograd would make a dozen passes over
    (N, vocabulary) logits. This function takes some rows at a time, and computes their gradient right after their
    loss, while the logits are there: it is the softmax, minus one at the label. The gradient can be asked for only
    once.

    Features, weight and bias may differ in dtype. The products have the dtype that `product_dtype` says; the
    softmax, the loss and sums over rows are in fp32 at least, and each gradient has the dtype of its input.
    """
    return _LinearCrossEntropy.apply(features, output.weight, output.bias, labels)


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor) -> Tensor:
        dtype = product_dtype(features, weight, *[] if bias is None else [bias])
        cast_weight, cast_bias = weight.to(dtype), None if bias is None else bias.to(dtype)
        rows = _ROWS if own_kernels(features.device) else _ROWS_ELSEWHERE
        if learns := any(ctx.needs_input_grad):
            sums = sum_dtype(weight.dtype)
            gradients = (
                torch.empty_like(features),
                torch.zeros_like(weight, dtype=sums),
                torch.zeros_like(weight[:, 0], dtype=sums),
            )
        total = features.new_zeros((), dtype=sum_dtype(dtype))
        for first in range(0, len(features), rows):
            block, targets = features[first : first + rows].to(dtype), labels[first : first + rows, None]
            logits = nn.functional.linear(block, cast_weight, cast_bias).to(total.dtype)
            logs = torch.log_softmax(logits, -1, out=logits)
            total -= logs.gather(1, targets).sum()
            if learns:
                to_logits = logs.exp_().scatter_add_(1, targets, logs.new_full(targets.shape, -1.0))
                if bias is not None:
                    gradients[2].add_(to_logits.sum(0))
                to_logits = to_logits.to(dtype)
                gradients[0][first : first + rows] = to_logits @ cast_weight
                if dtype == sums:
                    gradients[1].addmm_(to_logits.mT, block)
                else:
                    gradients[1].add_(to_logits.mT @ block)
        if learns:
            ctx.save_for_backward(*gradients)
        ctx.dtypes = [None if one is None else one.dtype for one in (features, weight, bias)]
        return total

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        # In place, so a second backward is refused: autograd sees that a saved tensor has changed.
        gradients = (
            None if dtype is None else gradient.mul_(outer).to(dtype)
            for gradient, dtype in zip(ctx.saved_tensors, ctx.dtypes, strict=True)
        )
        return *gradients, None
