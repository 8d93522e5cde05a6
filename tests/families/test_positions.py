"""Which rows of the position table a family says that it uses, against what its class looks up."""

from typing import Any

import pytest
import torch
from torch import nn


@pytest.mark.parametrize("length", [2, 7, 24])
def test_rows_are_those_that_are_looked_up(small: Any, length: int) -> None:
    model = small.family.build(small.config, small.head, seed=0).eval()
    used: set[int] = set()

    def note(_: nn.Module, given: tuple[torch.Tensor], __: torch.Tensor) -> None:
        used.update(given[0].flatten().tolist())

    for name, module in model.named_modules():
        if name.endswith(("position_embeddings", "wpe")):
            module.register_forward_hook(note)
    ids = torch.randint(10, len(small.tokenizer), (2, length))
    small.family.hidden(model, {"input_ids": ids, "labels": ids})
    rows = small.family.position_rows(small.config, length)
    assert used == set(rows or ())
    assert (rows is None) == (small.family.position_table is None)
