"""Everything that is registered conforms: a test for each check, so that `--fast` takes one case of each."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from hornbook.families import Family
from hornbook.objectives import IGNORED
from hornbook.testing import CHECKS, FAMILY_CHECKS, conformance
from hornbook.testing.processes import two_processes, two_shards
from tests.objectives.test_replaced_tokens import drawn


def detection_loss(family: Family, plain: torch.nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    """Let Hugging Face's two classes judge the same words, drawn one after the other."""
    mask, text = {"attention_mask": batch["attention_mask"]}, drawn(plain.generator, batch)
    original = torch.where(batch["labels"] == IGNORED, batch["input_ids"], batch["labels"])
    hidden = plain.generator(input_ids=batch["input_ids"], labels=batch["labels"], **mask)
    judged = plain(input_ids=text, labels=(text != original).long(), **mask)
    replaced, real = text != original, batch["attention_mask"].bool()
    right = ((judged.logits > 0) == replaced)[real].float().mean()
    return torch.stack([hidden.loss, judged.loss, right, 1 - replaced[real].float().mean()])


for check in (*CHECKS, *FAMILY_CHECKS):
    globals()[f"test_{check.__name__}"] = conformance(
        checks=[check],
        class_losses={"detection": detection_loss},
        marks={two_processes: pytest.mark.slow, two_shards: pytest.mark.slow},
    )
