"""Which places attention may look at, by the kind of model and what the batch says."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from torch import Tensor

from hornbook.tokenizers import Template

Matrix = npt.NDArray[np.bool_]


def allowed(template: Template, batch: Mapping[str, Tensor]) -> Matrix:
    """Say which places of the input see which others, of a batch's first example: (length, length), [who, whom].

    A causal model's place sees itself and those before it; where `position_ids` don't rise by one, another document
    begins, and none before it is seen. Others see all places. No place sees padding.
    """
    length = batch["input_ids"].shape[1]
    sees = np.ones((length, length), bool)
    if template == "causal":
        sees = np.tril(sees)
    if "position_ids" in batch:
        rises = np.diff(batch["position_ids"][0].numpy(), prepend=-1) == 1
        document = (~rises).cumsum()
        sees &= document[:, None] == document
    if "attention_mask" in batch:
        sees &= batch["attention_mask"][0].numpy().astype(bool)
    return sees


def ranges(seen: npt.NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """Write the places that are True as ranges from first to last."""
    edges = np.flatnonzero(np.diff(np.pad(seen.astype(np.int8), 1)))
    return tuple((int(first), int(last) - 1) for first, last in edges.reshape(-1, 2))
