"""The optimizers that a recipe can name.

A new one is one file and one entry point (`hornbook.optimizers`), in this package or in any other.
"""

from hornbook.optimizers.optimizer import OptimizerSpec
from hornbook.optimizers.state import named_state, optimizer_state, restore_optimizers, step_optimizers
from hornbook.registry import Registry

__all__ = [
    "OPTIMIZERS",
    "OptimizerSpec",
    "named_state",
    "optimizer_state",
    "restore_optimizers",
    "step_optimizers",
]


OPTIMIZERS: Registry[OptimizerSpec] = Registry.of("hornbook.optimizers", "optimizer", OptimizerSpec)
