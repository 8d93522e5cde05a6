"""The cross-entropy of a vocabulary's softmax, without ever holding all of its logits."""

from typing import Any

import torch
from torch import Tensor, nn

from hornbook.formats import product_format, sum_format
from hornbook.machine import own_kernels

_ROWS, _ROWS_ELSEWHERE = 512, 4096
"""Rows whose logits are held at once, enough for a matrix product to reach its full speed: on a CPU, on a GPU."""


def linear_cross_entropy(features: Tensor, output: nn.Linear, labels: Tensor) -> Tensor:
    """Compute the sum of -log softmax(output(features))[label] in nats, a scalar.

    `features` is (N, width) and `labels` (N,), each an id of the vocabulary. Autograd would make a dozen passes over
    (N, vocabulary) logits. This function takes some rows at a time, and computes their gradient right after their
    loss, while the logits are there: it is the softmax, minus one at the label. The gradient can be asked for only
    once.

    Features, weight and bias may differ in dtype. The products have the dtype that `product_format` says; the
    softmax, the loss and sums over rows are in fp32 at least, and each gradient has the dtype of its input.
    """
    return _LinearCrossEntropy.apply(features, output.weight, output.bias, labels)


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor) -> Tensor:
        number = product_format(features, weight, *[] if bias is None else [bias])
        wide = sum_format(number)
        narrow, shift = weight.to(number), None if bias is None else bias.to(number)
        rows = _ROWS if own_kernels(features.device) else _ROWS_ELSEWHERE
        learns = any(ctx.needs_input_grad)
        if learns:
            sums = sum_format(weight.dtype)
            slopes = (
                torch.empty_like(features),
                torch.zeros_like(weight, dtype=sums),
                torch.zeros_like(weight[:, 0], dtype=sums),
            )
        total = features.new_zeros((), dtype=wide)
        for first in range(0, len(features), rows):
            part, right = features[first : first + rows].to(number), labels[first : first + rows, None]
            logits = nn.functional.linear(part, narrow, shift).to(wide)
            logs = torch.log_softmax(logits, -1, out=logits)
            total -= logs.gather(1, right).sum()
            if learns:
                slope = logs.exp_().scatter_add_(1, right, logs.new_full(right.shape, -1.0))
                if bias is not None:
                    slopes[2].add_(slope.sum(0))
                slope = slope.to(number)
                slopes[0][first : first + rows] = slope @ narrow
                if number == sums:
                    slopes[1].addmm_(slope.mT, part)
                else:
                    slopes[1].add_(slope.mT @ part)
        if learns:
            ctx.save_for_backward(*slopes)
        ctx.formats = [None if one is None else one.dtype for one in (features, weight, bias)]
        return total

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        # In place, so a second backward is refused: autograd sees that a saved tensor has changed.
        gradients = (
            None if number is None else slope.mul_(outer).to(number)
            for slope, number in zip(ctx.saved_tensors, ctx.formats, strict=True)
        )
        return *gradients, None
