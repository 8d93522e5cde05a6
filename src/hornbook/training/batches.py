"""The batch of step n, made from the store by the plan and the objective."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from hornbook.objectives import Objective, Vocabulary
from hornbook.objectives.batch_to_loss import make_batch
from hornbook.store import TokenStore
from hornbook.training.phases import PlannedPhase, phase_of

_BATCHES_AT_ONCE = 16
"""Without workers, so many batches are made in one go. After a model's step this code is no longer in the processor's
caches, so the first batch takes three times as long as the next ones."""


class Batches(Dataset[list[dict[str, Tensor]]]):
    """A process's share of each step's batch, split into micro-batches for gradient accumulation.

    Item n depends on (seed, n) alone, not on how or in which order items are loaded.
    """

    def __init__(
        self,
        store: TokenStore,
        phases: list[PlannedPhase],
        objective: Objective,
        vocabulary: Vocabulary,
        accumulate: int = 1,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        self.store, self.phases, self.objective, self.vocabulary = store, phases, objective, vocabulary
        self.accumulate, self.process, self.processes = accumulate, process, processes

    def __getitem__(self, step: int) -> list[dict[str, Tensor]]:
        """Make the micro-batches of `step`: `accumulate` of them, each of tensors of shape (examples, ...)."""
        plan = phase_of(self.phases, step).plan
        rows = np.array_split(np.arange(plan.batch), self.processes)[self.process]
        starts, rng = plan.starts(step, rows), plan.rng(step, rows)
        batch = make_batch(self.store, self.objective, plan.chunking, starts, self.vocabulary, rng)
        split = zip(*(tensor.tensor_split(self.accumulate) for tensor in batch.values()), strict=True)
        return [dict(zip(batch, tensors, strict=True)) for tensors in split]


def load_batches(
    batches: Batches, first: int, last: int, workers: int, pin: bool
) -> Iterable[list[dict[str, Tensor]]]:
    """Yield each step's micro-batches, from `first` to `last` - 1; `workers` processes, if any, make them ahead."""
    loader = DataLoader(
        batches,
        sampler=range(first, last),
        batch_size=None,
        num_workers=workers,
        worker_init_fn=_leave_signals if workers else None,
        pin_memory=pin,
    )
    return loader if workers else _several_at_once(iter(loader))


def _several_at_once(batches: Iterator[list[dict[str, Tensor]]]) -> Iterator[list[dict[str, Tensor]]]:
    while some := list(islice(batches, _BATCHES_AT_ONCE)):
        yield from some


def _leave_signals(worker: int) -> None:
    """Ignore Ctrl-C in a worker: the training loop handles it, saves, and ends its workers."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
