"""Models side by side are the models alone."""

import numpy as np
import pytest
import torch

from hornbook.dense_tokens import DenseModel
from hornbook.dense_tokens.prove.arms import ARMS
from hornbook.dense_tokens.prove.cohort import Cohort, make_model, run_to_last
from hornbook.dense_tokens.prove.learning import ProofSettings, answers_right, draw_test, train
from hornbook.dense_tokens.prove.tasks import TASKS, WordProblem

TASK = TASKS["s3"]
SHORT = ProofSettings(steps=6, batch=4, look_every=100, validation=8, test=8, warmup=1)


@pytest.mark.parametrize("arm", ["dense", "pause", "plain-2"])
def test_answers_are_those_of_the_class_alone(arm: str) -> None:
    cohort = Cohort(TASK, ARMS[arm], (4, 7))
    questions = draw_test(TASK, 5, 8)
    ids = cohort.ids(questions)
    with torch.no_grad():
        logits, _, _ = cohort.answer(ids, cohort.layout(ids))
        for place, seed in enumerate((4, 7)):
            alone: DenseModel = make_model(TASK, ARMS[arm].layers, seed)
            filled = alone(ids, rounds=0 if arm == "pause" else None)
            torch.testing.assert_close(
                logits[place], alone.logits(filled.hidden[:, -1])[:, :6], atol=1e-5, rtol=1e-4
            )


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("depth", [1, 6])
def test_the_last_place_is_the_classes_own(layers: int, depth: int) -> None:
    """In value and in every gradient, with vectors at the dense tokens."""
    dense = make_model(TASK, layers, 5).double()
    ids = torch.from_numpy(draw_test(TASK, depth, 7).ids(TASK.dense_id))
    layout = dense.layout(ids)
    words = dense.model.get_input_embeddings()(ids)
    vectors = torch.randn(words.shape, dtype=words.dtype, generator=torch.Generator().manual_seed(1))
    vectors = vectors * layout.fed[..., None]
    parameters = list(dense.parameters())
    ways = (
        dense.consume(ids, layout, vectors).hidden[:, -1],
        run_to_last(dense.model, words + vectors, layout.mask(words.dtype), layout.positions),
    )
    torch.testing.assert_close(*ways, atol=1e-6, rtol=1e-6)  # attention's softmax is in float32
    weights = torch.randn(ways[0].shape, dtype=words.dtype, generator=torch.Generator().manual_seed(2))
    grads = [torch.autograd.grad((way * weights).sum(), parameters, retain_graph=True) for way in ways]
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("arm", ["dense", "random"])
def test_a_seed_trains_as_it_would_alone(arm: str) -> None:
    together, alone = Cohort(TASK, ARMS[arm], (0, 1)), Cohort(TASK, ARMS[arm], (0,))
    start = {name: tensor.detach().clone() for name, tensor in alone.parameters.items()}
    train(together, SHORT)
    train(alone, SHORT)
    for name, tensor in alone.parameters.items():
        torch.testing.assert_close(together.parameters[name][:1], tensor, atol=1e-5, rtol=1e-4)
    assert any(not torch.equal(start[name], tensor) for name, tensor in alone.parameters.items())


def test_arms_have_equal_parameters_and_data() -> None:
    counts = {
        Cohort(TASK, ARMS[arm], (0,)).count for arm in ("dense", "detached", "pause", "random", "plain")
    }
    assert len(counts) == 1
    words = {
        arm: [
            token
            for token in Cohort(TASK, ARMS[arm], (0,)).ids(draw_test(TASK, 4, 3)).flatten().tolist()
            if token != 6
        ]
        for arm in ("dense", "plain")
    }
    assert words["dense"] == words["plain"]


def test_matched_compute_is_matched() -> None:
    places = {}
    for arm in ("dense", "plain-compute"):
        settings = ProofSettings(steps=60, batch=1, look_every=10_000, validation=4, test=4)
        places[arm] = train(Cohort(TASK, ARMS[arm], (0,)), settings).places
    assert places["plain-compute"] == pytest.approx(places["dense"], rel=0.03)


@pytest.mark.slow
def test_dense_learns_what_pause_cannot() -> None:
    """Four steps, one layer: the margin that the README tells of, small."""
    settings = ProofSettings(steps=500, batch=64, look_every=100, validation=64, test=256)
    task = WordProblem(3, 4, 500)
    right = {}
    for arm in ("dense", "pause"):
        cohort = Cohort(task, ARMS[arm], (0, 1))
        train(cohort, settings)
        right[arm] = answers_right(cohort, draw_test(task, 4, 256)).mean(1)
    assert np.min(right["dense"]) > np.max(right["pause"]) + 0.3
