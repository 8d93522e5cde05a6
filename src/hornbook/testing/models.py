"""A family's model: where its weights come from, which of them are matrices, and which positions it uses."""

from pathlib import Path

import torch
from torch import Tensor, nn

from hornbook.testing.case import LENGTH, Case


def weights(case: Case, folder: Path) -> None:
    """New weights depend on the seed alone, are as many as counted, and some layers are the declared matrices."""
    before = case.config.to_dict()
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = case.model(seed=3)
    case.require(torch.equal(torch.get_rng_state(), state), "build moves PyTorch's random state")
    torch.manual_seed(2)
    again, other = (list(case.model(seed).parameters()) for seed in (3, 4))
    case.require(
        all(map(torch.equal, first.parameters(), again)), "two models of seed 3 have different weights"
    )
    case.require(
        not all(map(torch.equal, first.parameters(), other)), "models of seeds 3 and 4 have the same weights"
    )
    case.require(case.config.to_dict() == before, "build changes the configuration that it gets")
    numbers = {one.dtype for one in first.parameters()}
    case.require(numbers == {torch.float32}, f"new weights are in {numbers}, not in fp32 alone")
    size, counted = (
        sum(one.numel() for one in first.parameters()),
        case.family.parameters(case.config, case.objective.head),
    )
    case.require(size == counted, f"the model has {size:,} parameters, and parameters() counts {counted:,}")
    head = first.get_output_embeddings()
    case.require(
        any(isinstance(one, case.family.matrices) for one in first.modules() if one is not head),
        f"no layer is one of the declared matrices ({', '.join(one.__name__ for one in case.family.matrices)}): Muon "
        "would leave the whole model to AdamW and costs would count nothing",
    )


def positions(case: Case, folder: Path) -> None:
    """A full example fits, and `position_rows` names the rows of the table that the class looks up."""
    family, model = case.family, case.model().eval()
    table = None if family.position_table is None else model.base_model.get_submodule(family.position_table)
    for length in (2, LENGTH // 3, LENGTH):
        ids = torch.full((2, length), int(case.vocabulary.words[0]))
        try:
            hidden = family.hidden(model, {"input_ids": ids, "labels": ids})
        except (IndexError, RuntimeError):
            case.require(
                False, f"{length} tokens look beyond the position table: positions() gives it too few rows"
            )
        width, rows = tuple(hidden.shape[:2]), family.position_rows(case.config, length)
        case.require(width == (2, length), f"hidden states of 2 x {length} places have the shape {width}")
        if case.predicts_words:
            logits = tuple(family.logits(model, hidden).shape)
            case.require(
                logits == (2, length, case.config.vocab_size),
                f"logits of 2 x {length} places have the shape {logits}, with {case.config.vocab_size} words",
            )
        case.require(
            (rows is None) == (table is None),
            f"position_table is {family.position_table}, and position_rows says {rows}: say None in both or in neither",
        )
        used = set() if table is None else _rows_with_gradient(hidden, table)
        case.require(
            used == set(rows or ()),
            f"{length} tokens use the rows {sorted(used)} of the position table, and position_rows says {rows}",
        )


def _rows_with_gradient(hidden: Tensor, table: nn.Module) -> set[int]:
    """Find the rows of a table of embeddings that reach the hidden states, however the class looks them up."""
    directions = torch.randn_like(hidden)  # after a layer norm, a plain sum would have no gradient
    (gradient,) = torch.autograd.grad((hidden * directions).sum(), [table.get_parameter("weight")])
    return set(gradient.abs().sum(1).nonzero().flatten().tolist())
