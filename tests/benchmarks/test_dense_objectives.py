"""The ways to train through vectors: those that have to give the true gradient do."""

import copy

import numpy as np
import pytest
import torch
from transformers.models.gpt_neox import modeling_gpt_neox

from benchmarks.dense_objectives import WAYS, Halved, InDouble, cost, exact, make
from hornbook.dense_tokens.prove.tasks import TASKS
from hornbook.rng import CounterRNG


@pytest.mark.parametrize("name", TASKS)
def test_recomputed_and_unrolled_gradients_are_the_true_one(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modeling_gpt_neox, "torch", InDouble())
    assert max(exact(TASKS[name]).values()) < 1e-10


@pytest.mark.parametrize("way", WAYS)
def test_each_way_has_a_gradient_and_a_cost(way: str) -> None:
    task = copy.copy(TASKS["s3"])
    task.depth = 4
    teacher = make(task, "one by one", (0, 1), None)
    models = make(task, way, (0, 1), teacher)
    questions = models.task.draw(CounterRNG(0, "test", np.arange(4)), 4)
    ids = models.ids(questions).expand(2, -1, -1)
    loss = models.loss(ids, models.layout(ids[0]), torch.from_numpy(questions.states[:, -1]).repeat(2), 0)
    loss.backward()
    assert all(one.grad is not None and one.grad.isfinite().all() for one in models.parameters.values())
    assert all(one.grad is None for one in teacher.parameters.values() if models is not teacher)
    operations, kept = cost(models, batch=2)
    assert operations > 0 and kept > 0


def test_half_of_the_places_to_think_are_left() -> None:
    task = TASKS["s3"]
    rows = CounterRNG(0, "test", np.arange(3))
    whole, half = task.draw(rows, 6), Halved(task).draw(rows, 6)
    assert half.thoughts == (1, 3) and whole.thoughts == (0, 1, 2, 3, 4)
    assert (half.words == whole.words).all() and (half.states == whole.states).all()
