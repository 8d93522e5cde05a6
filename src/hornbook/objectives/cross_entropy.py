"""The cross-entropy of a vocabulary's softmax, without ever holding all of its logits."""

from typing import Any

import torch
from torch import Tensor, nn

_ROWS = {"cpu": 512}
"""Rows whose logits are held at once, enough for a matrix product to reach its full speed."""
_ROWS_ELSEWHERE = 4096


def linear_cross_entropy(features: Tensor, output: nn.Linear, labels: Tensor) -> Tensor:
    """Compute the sum of -log softmax(output(features))[label] in nats, a scalar.

    `features` is (N, width) and `labels` (N,), each an id of the vocabulary. What autograd does in a dozen passes over
    (N, vocabulary) logits is done here for some rows at a time, and the gradient right after the loss, while the
    logits are there: it is the softmax, less one at the label. The gradient can be asked for once.
    """
    return _LinearCrossEntropy.apply(features, output.weight, output.bias, labels)


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor) -> Tensor:
        kind = features.device.type
        number = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
        narrow, shift = weight.to(number), None if bias is None else bias.to(number)
        rows = _ROWS.get(kind, _ROWS_ELSEWHERE)
        learns = any(ctx.needs_input_grad)
        if learns:
            slopes = torch.empty_like(features), torch.zeros_like(weight), torch.zeros_like(weight[:, 0])
        total = features.new_zeros((), dtype=torch.promote_types(number, torch.float32))
        for first in range(0, len(features), rows):
            part, right = features[first : first + rows].to(number), labels[first : first + rows, None]
            logits = nn.functional.linear(part, narrow, shift)
            logits = logits.to(torch.promote_types(number, torch.float32))
            logs = torch.log_softmax(logits, -1, out=logits)
            total -= logs.gather(1, right).sum()
            if learns:
                slope = logs.exp_().scatter_add_(1, right, logs.new_full(right.shape, -1.0))
                if bias is not None:
                    slopes[2].add_(slope.sum(0))
                slope = slope.to(number)
                slopes[0][first : first + rows] = slope @ narrow
                if number == weight.dtype:
                    slopes[1].addmm_(slope.mT, part)
                else:
                    slopes[1].add_(slope.mT @ part)
        if learns:
            ctx.save_for_backward(*slopes)
        ctx.has_bias = bias is not None
        return total

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        # In place, which is why a second time is refused: autograd sees that what was saved has changed.
        features, weight, bias = (slope.mul_(outer) for slope in ctx.saved_tensors)
        return features, weight, bias if ctx.has_bias else None, None
