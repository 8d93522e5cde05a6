"""The limit: the matrix products of a step and nothing else, each as fast as this machine's library does it."""

from collections import Counter
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.speed.contenders.contender import Task
from benchmarks.speed.gate import Gate
from hornbook.objectives.batch_to_loss import compute_loss, make_batch

_PLACES = {torch.ops.aten.mm.default: (0, 1), torch.ops.aten.addmm.default: (1, 2)}
"""Where the factors stand among the arguments of a product of two matrices."""

Factor = tuple[tuple[int, ...], bool]
"""A matrix's shape, and whether it lies in memory column by column."""


class Recorder(TorchDispatchMode):
    """Counts the products of two matrices by the shapes of their factors.

    Products within attention are of many small matrices (bmm) and don't count: a fused kernel never makes them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.products: Counter[tuple[Factor, Factor]] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Note it, and do it."""
        if function in _PLACES:
            one, other = (args[place] for place in _PLACES[function])
            self.products[_factor(one), _factor(other)] += 1
        return function(*args, **(kwargs or {}))


def _factor(matrix: Tensor) -> Factor:
    return tuple(matrix.shape), matrix.stride(0) < matrix.stride(1)


class Limit:
    """Runs the products that forward and backward of a step of Hugging Face's own class have, the
    head's where labels are.

    Products of the same shape share their factors, which stay in the cache as far as they fit: no training can be
    faster than this.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.dtype = torch.bfloat16 if task.bf16 else torch.float32

    def about(self) -> dict[str, Any]:
        """Tell precision and how much there is to compute."""
        products = self.products
        flops = sum(
            2 * one[0][0] * one[0][1] * other[0][1] * times for (one, other), times in products.items()
        )
        return {
            "precision": "bf16" if self.task.bf16 else "fp32",
            "products": products.total(),
            "flop": flops,
        }

    def check(self) -> float | None:
        """Compute no loss."""
        return None

    @cached_property
    def products(self) -> Counter[tuple[Factor, Factor]]:
        """Take a step of the class itself, and record it."""
        run = self.task.material.run
        family, objective, case = run.recipe.model.family, run.recipe.objective, self.task.material.case
        model = family.construct(run.config, objective.head)
        plan = objective.plan(run.train, case.length, case.batch, seed=0)
        batch = make_batch(run.train, objective, plan.chunking, plan.starts(0), run.vocabulary, plan.rng(0))
        with Recorder() as recorder:
            sums, _ = compute_loss(family, objective, model, batch)
            sums.sum().backward()
        return recorder.products

    @torch.no_grad()
    def train(self, gate: Gate) -> None:
        """Multiply, step after step."""
        matrices: dict[Factor, Tensor] = {}
        work: list[tuple[Tensor, Tensor, int]] = []
        for (one, other), times in self.products.items():
            for factor in (one, other):
                matrices.setdefault(factor, self._make(factor))
            work.append((matrices[one], matrices[other], times))
        outs = [
            torch.empty(len(left), right.shape[1], dtype=self.dtype, device=left.device)
            for left, right, _ in work
        ]
        steps = 0
        while True:
            gate.passed(steps)
            for (left, right, times), out in zip(work, outs, strict=True):
                for _ in range(times):
                    torch.mm(left, right, out=out)
            steps += 1

    def _make(self, factor: Factor) -> Tensor:
        (rows, columns), by_columns = factor
        shape = (columns, rows) if by_columns else (rows, columns)
        matrix = torch.randn(shape, device=self.task.device).to(self.dtype)
        return matrix.t() if by_columns else matrix


def make(task: Task) -> Limit:
    """Make it."""
    return Limit(task)
