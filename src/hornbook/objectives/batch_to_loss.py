"""A batch's way from the disk to the loss. Training and held-out loss both take it; docs/design.md draws it.

1. The examples are chosen: `store/plan.py` does it for each training step, `evaluation/heldout.py` for held-out loss.
2. `make_batch`: the objective makes arrays of them, which become tensors.
3. `move`: the tensors go to the model's device.
4. `compute_loss`: the family runs the model, and the objective computes the loss of what it gives.
5. `training/loop.py` goes on from the loss: gradients, clipping, and a step of the optimizers.
"""

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from hornbook.families import Family
from hornbook.objectives.objective import Objective
from hornbook.objectives.vocabulary import Vocabulary
from hornbook.rng import CounterRNG
from hornbook.store import Chunking, TokenStore
from hornbook.store.chunking import Indices


def make_batch(
    store: TokenStore,
    objective: Objective,
    chunking: Chunking,
    starts: Indices,
    vocabulary: Vocabulary,
    rng: CounterRNG,
) -> dict[str, Tensor]:
    """Make the batch of the examples that begin at `starts`: tensors of shape (batch, ...) on the CPU.

    `chunking` says how long an example is, `rng` draws what is masked or changed in each example.
    """
    arrays = objective.read(store, chunking, starts, vocabulary, rng)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def move(batch: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """Put a batch where the model is."""
    return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}


def compute_loss(
    family: Family, objective: Objective, model: PreTrainedModel, batch: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Compute the loss of a batch: the sums over its labels in nats, and the counts of labels, shape (terms,) each."""
    predictor = model.get_submodule(objective.predictor)
    inputs = {name: tensor for name, tensor in batch.items() if name not in objective.own_keys}
    hidden, labels = family.hidden_and_labels(predictor, inputs)
    return objective.loss(family, model, batch, hidden, labels)


class LossModule(nn.Module):
    """A model with its objective, as one module: what Accelerate wraps.

    Distributed wrappers synchronise gradients around one module's forward, so the loss is computed inside it. So is
    autocast (`bf16`): the module computes the same, wrapped for training or not, for held-out loss.
    """

    def __init__(
        self, family: Family, objective: Objective, model: PreTrainedModel, bf16: bool = False
    ) -> None:
        super().__init__()
        self.family, self.objective, self.model, self.bf16 = family, objective, model, bf16

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Give the objective's sums, in nats, and the counts of labels: shape (terms,) each."""
        with torch.autocast(self.model.device.type, torch.bfloat16, enabled=self.bf16):
            return compute_loss(self.family, self.objective, self.model, batch)
