"""The optimizers that a recipe can name.

A new one is one file and one entry point (`hornbook.optimizers`), in this package or in any other.
"""

from typing import Any

from hornbook.optimizers.optimizer import OptimizerSpec
from hornbook.optimizers.state import optimizer_state, restore_optimizers, step_optimizers
from hornbook.registry import Registry, check_declared

__all__ = ["OPTIMIZERS", "OptimizerSpec", "optimizer_state", "restore_optimizers", "step_optimizers"]


def _accept(name: str, found: Any) -> OptimizerSpec:
    check_declared("optimizer", name, found, OptimizerSpec)
    spec: OptimizerSpec = found()
    return spec


OPTIMIZERS: Registry[OptimizerSpec] = Registry("hornbook.optimizers", "optimizer", _accept)
