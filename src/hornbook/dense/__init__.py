"""Dense tokens on any causal model: what `hornbook dense` does, under the same names.

Models are folders, runs, or names on the hub, and each function opens its model anew. The parts are in `dense_tokens/`.
"""

from hornbook.dense.phases import delete, select, train
from hornbook.dense.trials import experiments, prove, questions, tasks
from hornbook.dense.try_out import try_out
from hornbook.dense.use import add, generate
from hornbook.dense_tokens import TOKEN, DenseModel, DenseOptions, Filled, Gradient, Layout, add_dense_token

__all__ = [
    "TOKEN",
    "DenseModel",
    "DenseOptions",
    "Filled",
    "Gradient",
    "Layout",
    "add",
    "add_dense_token",
    "delete",
    "experiments",
    "generate",
    "prove",
    "questions",
    "select",
    "tasks",
    "train",
    "try_out",
]
