"""What some labels cost: -ln p at the few places that are asked."""

import torch
from torch import Tensor

from hornbook.loading import LoadedModel
from hornbook.machine import own_kernels

_COLUMNS, _COLUMNS_ELSEWHERE = 512, 2**15
"""Words of the vocabulary whose logits are held at once: on a CPU, so few that they stay in a core's cache."""


def label_nats(loaded: LoadedModel, hidden: Tensor, labels: Tensor, places: Tensor | None = None) -> Tensor:
    """Compute -ln p of labels (N,) from the hidden states (M, width) that predict them: shape (N,), in fp64.

    `places` (N,) names the state of each label, so that several labels can be asked of one state; by default each
    label has a state of its own.
    """
    if not len(labels):
        return torch.zeros(0, dtype=torch.float64)
    places = torch.arange(len(labels), device=labels.device) if places is None else places
    output, features = loaded.family.output(loaded.model), loaded.family.features(loaded.model, hidden)
    if output is None:
        return -features.float().log_softmax(1)[places, labels].double()
    columns = _COLUMNS if own_kernels(features.device) else _COLUMNS_ELSEWHERE
    weights = output.weight.split(columns)
    biases = [None] * len(weights) if output.bias is None else list(output.bias.split(columns))
    asked, sums = features.new_zeros(len(labels), dtype=torch.float32), []
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        logits = torch.nn.functional.linear(features, weight, bias).float()
        at = labels - number * columns
        here = ((at >= 0) & (at < len(weight))).nonzero()[:, 0]
        asked[here] = logits[places[here], at[here]]
        sums.append(_log_sum(logits))
    return (torch.stack(sums, 1).logsumexp(1)[places] - asked).double()


def _log_sum(logits: Tensor) -> Tensor:
    """Compute ln of the sum of e to the logits (M, words), which are overwritten: shape (M,).

    A softmax in place is one kernel without new memory, and takes half the time of logsumexp.
    """
    largest = logits.amax(1)
    torch.log_softmax(logits, 1, out=logits)
    # Words that a model rules out have -inf, and where all have it, the softmax is NaN.
    return torch.where(largest == -torch.inf, largest, largest - logits.amax(1))
