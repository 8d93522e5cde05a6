"""What Hugging Face's class itself says of a batch."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import get_args

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from hornbook.families import Family, Head
from hornbook.tokenizers import Template

ClassLoss = Callable[[Family, PreTrainedModel, Mapping[str, Tensor]], Tensor]
"""Computes the mean of each of an objective's terms on a batch, shape (terms,), with a Hugging Face class of which
nothing is replaced."""


def class_loss(family: Family, plain: PreTrainedModel, batch: Mapping[str, Tensor]) -> Tensor:
    """Take the class's own `loss` or, where it also judges pairs, the loss of words, that of pairs, and its accuracy.

    A class has its own name for the label of pairs, and gives the sum of both losses.
    """
    known = signature(plain.forward).parameters
    label = next((name for name in known if name.endswith("_label")), None)
    given = {label if key.endswith("_label") and label else key: value for key, value in batch.items()}
    outputs = plain(**given, **family.arguments)
    if label not in given:
        return outputs.loss[None]
    judged, wanted = outputs[2], given[label]
    pairs = cross_entropy(judged, wanted)
    return torch.stack([outputs.loss - pairs, pairs, (judged.argmax(-1) == wanted).float().mean()])


CLASS_LOSSES: dict[Head, ClassLoss] = dict.fromkeys(get_args(Template), class_loss)
"""For each head whose class predicts words; a head of another name needs a loss of its own to be compared with."""
