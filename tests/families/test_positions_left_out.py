"""A model without positions can't tell one order of its tokens from another."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from hornbook.errors import HornbookError

TABLES = ["bert-tiny", "roberta-base", "albert-base-v2", "robertalbert"]


@pytest.mark.parametrize("preset", TABLES)
def test_the_order_of_tokens_is_lost(preset: str, shrink: Callable[..., Any]) -> None:
    """Exactly: whatever the order, each token gets what it got (in eval mode, up to the order of sums)."""
    small = shrink(preset)
    model = small.family.build(small.config, small.head, 0).eval()
    ids, order = torch.randint(10, 90, (2, 12)), torch.randperm(12)

    def hidden(ids: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return small.family.hidden(model, {"input_ids": ids})

    assert (hidden(ids)[:, order] - hidden(ids[:, order])).abs().max() > 1e-3
    small.family.forget_positions(model)
    torch.testing.assert_close(hidden(ids)[:, order], hidden(ids[:, order]), atol=1e-5, rtol=1e-4)
    names = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    assert [name.split(".")[-2] for name in names] == ["position_embeddings"]


def test_a_causal_model_still_knows_what_came_before(shrink: Callable[..., Any]) -> None:
    small = shrink("tinystories-1m")
    model = small.family.build(small.config, small.head, 0).eval()
    small.family.forget_positions(model)
    assert not model.transformer.wpe.weight.any() and not model.transformer.wpe.weight.requires_grad


@pytest.mark.parametrize("preset", ["pythia-14m", "t5-small"])
def test_rotary_and_relative_positions_stay(preset: str, shrink: Callable[..., Any]) -> None:
    small = shrink(preset)
    with pytest.raises(HornbookError, match="no position table"):
        small.family.forget_positions(small.family.build(small.config, small.head, 0))
