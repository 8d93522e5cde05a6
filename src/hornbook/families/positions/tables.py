"""Position tables that don't learn: sinusoids, and zeros."""

from typing import cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from hornbook.families.positions import scheme_of

_TIMES = 10
"""How many times as high as new word embeddings deviate the sinusoids are: as high as trained ones do, soon.

With a BERT of 1,000 steps, 1, 10 and 50 times ended at 5.31, 3.76 and 4.47 nats (docs/questions.md).
"""


def sinusoids(rows: int, width: int) -> Tensor:
    """Make sinusoids (rows, width), from 1 to 1/10,000 radians a row (Vaswani et al. 2017, arXiv:1706.03762, 3.5)."""
    columns = torch.arange(0, width, 2, dtype=torch.float64) / width
    angles = torch.arange(rows, dtype=torch.float64)[:, None] * 10000**-columns
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1)[:, :width].float()


@torch.no_grad()
def fill_table(table: nn.Embedding, scheme: str, first: int, amplitude: float) -> None:
    """Fill a table by a scheme; `first` is the row of a text's first token, and those before it stay at zero.

    The paper's sinusoids have an amplitude of 1, as the deviation of the word embeddings that they are added to. Where
    word embeddings are smaller, so is the `amplitude`.
    """
    nn.init.zeros_(table.weight)
    if scheme == "sinusoidal":
        rows, width = table.weight.shape
        table.weight[first:] = amplitude * sinusoids(rows - first, width)


def freeze_table(model: PreTrainedModel, layer: str | None, rows: range | None, new: bool) -> None:
    """Freeze a table of sinusoids or zeros, and fill it if it is new; a learned table stays as it is.

    `layer` is the table's path in the base model; `rows` are those that a text of one token uses; None without a table.
    """
    scheme = scheme_of(model.config)
    if layer is None or rows is None or not scheme:
        return
    table = cast(nn.Embedding, model.base_model.get_submodule(layer))
    if new:
        fill_table(table, scheme, rows.start, _TIMES * model.config.initializer_range)
    table.weight.requires_grad_(False)
