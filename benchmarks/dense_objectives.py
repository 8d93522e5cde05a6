"""What does training through the vectors cost, and which cheaper way learns as well?

    python -m benchmarks.dense_objectives --task s3 --seeds 0 1 2 --rate 1e-3 2e-3 4e-3

Models of one layer learn a task of `hornbook dense prove` from final answers alone. They differ only in how a step's
gradient is computed; all of them are asked with exact vectors, filled one by one:

- one by one: the true gradient; each place is computed once, with a cache.
- unrolled: the same by as many rounds as there are vectors, each a pass over all places.
- 1 round, 2 rounds: unrolled, but so few rounds; later vectors are not the exact ones.
- 1 crossing, 2 crossings: exact vectors, and a gradient through at most so many of them.
- detached: exact vectors, no gradient through them.
- token B: detached, and each vector's maker is drawn to token B: the vector after a step of 0.3 of its length down the
  gradient. (A step in proportion to the gradient would be the same as one crossing.)
- recomputed: filled one by one without a graph; one pass over all places is computed anew with one, and its gradient is
  asked as often as there are vectors (the adjoint equation). Equal to the true gradient, with the memory of one pass.
- implicit: the vectors are the fixed point of one pass. It is sought in rounds until they change by less than 1 %, and
  so is the solution of the adjoint equation.
- random rounds: unrolled, from one round to all of them, drawn for each step.
- a teacher's vectors: a model trained one by one gives its vectors; the student reads these in a single pass and learns
  to make them and to answer. The teacher's training is paid too.
- half the tokens, and half the tokens, taught: a dense token after every second step; taught by the answers'
  probabilities of a model that has all of them.

Every way has the same budget of tuning: each learning rate, of which the best by the validation questions is reported.
Printed are right answers at the deepest depth, the operations of a step of the deepest questions (multiplications and
additions, forwards and backwards, of one model), relative to one by one, and the bytes that are kept for the backward
pass. `--exact` compares the gradients of the ways that have to be equal, in float64.
"""

import argparse
import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy, kl_div
from torch.utils.flop_counter import FlopCounterMode
from transformers.models.gpt_neox import modeling_gpt_neox

from hornbook.dense_tokens.layout import Layout
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.options import Gradient
from hornbook.dense_tokens.prove.arms import Arm
from hornbook.dense_tokens.prove.cohort import Cohort
from hornbook.dense_tokens.prove.learning import ProofSettings, answers_right, draw_test, look, train
from hornbook.dense_tokens.prove.statistics import accuracy
from hornbook.dense_tokens.prove.tasks import TASKS, Questions, Task
from hornbook.rng import CounterRNG

STEP_TO_B = 0.3
"""The length of the step to token B, as a share of the vector's."""


class Consumer(nn.Module):
    """Reads questions with given vectors, in one pass over all places."""

    def __init__(self, dense: DenseModel, answers: int) -> None:
        super().__init__()
        self.dense, self.answers = dense, answers

    def forward(self, ids: Tensor, layout: Layout, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return the answers' logits (B, A), and the vectors that the pass makes itself (B, n, H)."""
        filled = self.dense.consume(ids, layout, vectors)
        makers = [column - 1 for column in layout.cuts[1:]]
        made = self.dense.carrier()(filled.hidden[:, makers])
        return self.dense.logits(filled.hidden[:, -1])[..., : self.answers], made


class Learners(Cohort):
    """Models that learn in one of the ways."""

    way = "one by one"
    teacher: "Learners | None" = None

    def loss(self, ids: Tensor, layout: Layout, wanted: Tensor, step: int) -> Tensor:
        """Add up the models' losses: ids (S, B, T), right answers (S * B,)."""
        if not layout.rounds:
            return super().loss(ids, layout, wanted, step)
        return WAYS[self.way].loss(self, ids, layout, wanted, step)

    @property
    def width(self) -> int:
        """The width of the hidden states."""
        return self.reader.dense.model.config.hidden_size

    def right(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """Compute the loss of the answers' logits (S, B, A)."""
        return cross_entropy(logits.flatten(0, 1), wanted) * len(self.seeds)

    def consume(self, ids: Tensor, layout: Layout, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Read with given vectors (S, B, T, H): logits (S, B, A), and the vectors made (S, B, n, H)."""
        consumer = Consumer(self.reader.dense, self.task.answers)

        def one(parameters: dict[str, Tensor], ids: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
            return functional_call(consumer, parameters, (ids, layout, vectors))

        return torch.vmap(one)(self.parameters, ids, vectors)

    @torch.no_grad()
    def exact(self, ids: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
        """Fill one by one, without a gradient: logits (S, B, A) and vectors (S, B, T, H)."""
        logits, _, vectors = self.answer(ids, layout)
        return logits, vectors


def in_rounds(count: Callable[[int, int], int]) -> Callable[..., Tensor]:
    """Make the loss of a way that fills in rounds; `count` gives them for a layout's rounds and a step."""

    def loss(models: Learners, ids: Tensor, layout: Layout, wanted: Tensor, step: int) -> Tensor:
        return models.right(models.answer(ids, layout, count(layout.rounds, step))[0], wanted)

    return loss


def one_by_one(models: Learners, ids: Tensor, layout: Layout, wanted: Tensor, step: int) -> Tensor:
    """Give the answers' loss, with the gradient of the models' arm."""
    return models.right(models.answer(ids, layout)[0], wanted)


def token_b(models: Learners, ids: Tensor, layout: Layout, wanted: Tensor, step: int) -> Tensor:
    """Draw what makes each vector to token B, which is better by a step down the gradient."""
    vectors = models.exact(ids, layout)[1].requires_grad_()
    logits, made = models.consume(ids, layout, vectors)
    loss = models.right(logits, wanted)
    (gradient,) = torch.autograd.grad(loss, vectors, retain_graph=True)
    columns = list(layout.cuts[1:])
    own, down = vectors[:, :, columns].detach(), -gradient[:, :, columns]
    better = own + STEP_TO_B * own.norm(dim=-1, keepdim=True) * torch.nn.functional.normalize(down, dim=-1)
    return loss + (made - better).pow(2).sum() / own.pow(2).mean() / own.numel() * len(models.seeds)


def adjoint(
    models: Learners, ids: Tensor, layout: Layout, wanted: Tensor, vectors: Tensor, near: float
) -> Tensor:
    """Give a loss whose gradient is the true one at the fixed point `vectors` (S, B, T, H).

    A vector's worth is its own, and what it is worth to the vectors after it. It is sought until it changes by less
    than `near` of its length.
    """
    vectors.requires_grad_()
    logits, made = models.consume(ids, layout, vectors)
    loss = models.right(logits, wanted)
    columns = list(layout.cuts[1:])
    (own,) = torch.autograd.grad(loss, vectors, retain_graph=True)
    own = own[:, :, columns]
    worth = own
    for _ in range(layout.rounds - 1):
        (more,) = torch.autograd.grad(made, vectors, worth, retain_graph=True)
        before, worth = worth, own + more[:, :, columns]
        if (worth - before).norm() <= near * worth.norm():
            break
    return loss + (made * worth).sum() - (made.detach() * worth).sum()


def recomputed(models: Learners, ids: Tensor, layout: Layout, wanted: Tensor, step: int) -> Tensor:
    """Fill one by one, and solve the adjoint equation exactly."""
    return adjoint(models, ids, layout, wanted, models.exact(ids, layout)[1], 0.0)


def implicit(models: Learners, ids: Tensor, layout: Layout, wanted: Tensor, step: int) -> Tensor:
    """Seek the fixed point in rounds, and solve the adjoint equation, both to one hundredth."""
    vectors = torch.zeros(*ids.shape, models.width, dtype=next(iter(models.parameters.values())).dtype)
    columns = list(layout.cuts[1:])
    with torch.no_grad():
        for _ in range(layout.rounds):
            made = models.consume(ids, layout, vectors)[1]
            moved = (made - vectors[:, :, columns]).norm() / made.norm()
            vectors = vectors.clone()
            vectors[:, :, columns] = made
            if moved <= 0.01:
                break
    return adjoint(models, ids, layout, wanted, vectors, 0.01)


def teachers_vectors(models: Learners, ids: Tensor, layout: Layout, wanted: Tensor, step: int) -> Tensor:
    """Read a teacher's vectors in one pass, and learn to make their directions, and to answer."""
    assert models.teacher is not None
    _, vectors = models.teacher.exact(ids, layout)
    logits, made = models.consume(ids, layout, vectors)
    apart = 1 - torch.cosine_similarity(made, vectors[:, :, list(layout.cuts[1:])], dim=-1)
    return models.right(logits, wanted) + apart.mean() * len(models.seeds)


def taught(models: Learners, ids: Tensor, layout: Layout, wanted: Tensor, step: int) -> Tensor:
    """Learn the right answers, and the probabilities of a teacher that has a dense token after every step."""
    assert models.teacher is not None
    logits = models.answer(ids, layout)[0]
    words = ids[ids != models.task.dense_id].unflatten(0, (*ids.shape[:2], -1))
    whole = np.insert(words.numpy(), range(1, words.shape[-1]), models.task.dense_id, axis=-1)
    asked = torch.from_numpy(whole)
    said = models.teacher.exact(asked, models.teacher.layout(asked[0]))[0]
    apart = kl_div(logits.log_softmax(-1), said.log_softmax(-1), log_target=True, reduction="none").sum(-1)
    return models.right(logits, wanted) + apart.mean() * len(models.seeds)


@dataclass(frozen=True)
class Way:
    """A way to train."""

    loss: Callable[..., Tensor]
    gradient: Gradient = field(default_factory=Gradient)
    half: bool = False
    """Whether there is a dense token after every second step only."""
    teacher: bool = False


WAYS = {
    "one by one": Way(one_by_one),
    "unrolled": Way(in_rounds(lambda most, step: most)),
    "1 round": Way(in_rounds(lambda most, step: min(1, most))),
    "2 rounds": Way(in_rounds(lambda most, step: min(2, most))),
    "1 crossing": Way(one_by_one, Gradient(crossings=1)),
    "2 crossings": Way(one_by_one, Gradient(crossings=2)),
    "detached": Way(one_by_one, Gradient(crossings=0)),
    "token B": Way(token_b),
    "recomputed": Way(recomputed),
    "implicit": Way(implicit),
    "random rounds": Way(
        in_rounds(
            lambda most, step: (
                1 + int(CounterRNG(0, "rounds", np.array([step])).integers("rounds", 1, most)[0, 0])
            )
        )
    ),
    "a teacher's vectors": Way(teachers_vectors, teacher=True),
    "half the tokens": Way(one_by_one, half=True),
    "half the tokens, taught": Way(taught, half=True, teacher=True),
}


class Halved:
    """A task with a dense token after every second step only."""

    def __init__(self, task: Task) -> None:
        self.__dict__.update(vars(task))
        self._task = task

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def draw(self, rng: CounterRNG, depth: int) -> Questions:
        """Draw the task's own questions, and leave out every second place to think."""
        found = self._task.draw(rng, depth)
        return Questions(found.words, found.thoughts[1::2], found.states)


def make(task: Task, name: str, seeds: tuple[int, ...], teacher: Learners | None) -> Learners:
    """Make the models that learn in a way."""
    way = WAYS[name]
    arm = Arm("dense", "Dense", "", "own", way.gradient)
    models = Learners(Halved(task) if way.half else task, arm, seeds)  # type: ignore[arg-type]
    models.way, models.teacher = name, teacher if way.teacher else None
    return models


def cost(models: Learners, batch: int = 32) -> tuple[float, int]:
    """Count a step's operations of one model, forwards and backwards, and the bytes kept for the backward pass."""
    task = models.task
    questions = task.draw(CounterRNG(0, "cost", np.arange(batch)), task.depth)
    alone = make(getattr(task, "_task", task), models.way, models.seeds[:1], models.teacher)
    if alone.teacher is not None:
        alone.teacher = make(alone.teacher.task, alone.teacher.way, models.seeds[:1], None)
    ids = alone.ids(questions)[None]
    layout, wanted = alone.layout(ids[0]), torch.from_numpy(questions.states[:, -1])
    kept: dict[int, int] = {}
    most = 0

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    steps = range(1, 17)  # the rounds that are drawn differ
    with FlopCounterMode(display=False) as counter:
        for step in steps:
            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                loss = alone.loss(ids, layout, wanted, step)
            most = max(most, sum(kept.values()))
            kept.clear()
            loss.backward()
    return counter.get_total_flops() / len(steps), most


class InDouble:
    """Torch as GPT-NeoX's attention sees it, with float64 where it asks for float32."""

    float32 = torch.float64

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


def exact(task: Task) -> dict[str, float]:
    """Compare the gradients of ways that have to be equal, in float64: how far each is from one by one's."""
    questions = task.draw(CounterRNG(0, "exact", np.arange(8)), task.depth)
    found = {}
    for name in ("one by one", "unrolled", "recomputed"):
        models = make(task, name, (0, 1), None)
        models.reader.double()
        models.parameters = {
            one: tensor.detach().double().requires_grad_() for one, tensor in models.parameters.items()
        }
        ids = models.ids(questions).expand(2, -1, -1)
        wanted = torch.from_numpy(questions.states[:, -1]).repeat(2)
        models.loss(ids, models.layout(ids[0]), wanted, 0).backward()
        found[name] = torch.cat(
            [one.grad.flatten() for one in models.parameters.values() if one.grad is not None]
        )
    true = found["one by one"]
    return {name: float((gradient - true).norm() / true.norm()) for name, gradient in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", nargs="+", default=["s3"], choices=["s3", "s5", "pointers"])
    parser.add_argument("--depth", type=int, help="By default the proof's.")
    parser.add_argument("--way", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rate", nargs="+", type=float, default=[1e-3, 2e-3, 4e-3])
    parser.add_argument("--exact", action="store_true", help="compare gradients, and train nothing")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.task:
        task = copy.copy(TASKS[name])
        if given.depth:
            task.steps, task.depth = task.steps * given.depth // task.depth, given.depth
        if given.exact:
            modeling_gpt_neox.torch = InDouble()
            for way, apart in exact(task).items():
                print(f"{task.title}, {way}: the gradient is {apart:.1e} of its length from one by one's")
            continue
        compare(task, given.way, tuple(given.seeds), given.rate)


def compare(task: Task, ways: list[str], seeds: tuple[int, ...], rates: list[float]) -> None:
    """Train in each way at each rate, and print the best of each."""
    print(f"\n{task.title}, depth {task.depth}, at most {task.steps:,} steps\n")
    print("| way | rate | steps | right | worst seed | a step's operations | kept bytes | processor time |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    teacher: Learners | None = None
    usual: tuple[float, int] | None = None
    for name in ["one by one", *(one for one in ways if one != "one by one")]:
        best: tuple[float, Any] | None = None
        began = time.process_time()
        for rate in rates:
            models = make(task, name, seeds, teacher)
            settings = ProofSettings(learning_rate=rate)
            course = train(models, settings)
            validated = (
                float(look(models, settings).mean()) - course.steps / 1e6
            )  # at equal answers, the quicker one
            if best is None or validated > best[0]:
                best = validated, (rate, models, course)
        assert best is not None
        seconds = (time.process_time() - began) / len(rates)
        rate, models, course = best[1]
        teacher = teacher or models
        operations, kept = cost(models)
        usual = usual or (operations, kept)
        right = answers_right(models, draw_test(models.task, task.depth, 1024))
        found = accuracy(right)
        print(
            f"| {name} | {rate:g} | {course.steps:,} | {100 * found.mean:.1f} [{100 * found.low:.1f}, "
            f"{100 * found.high:.1f}] | {100 * right.mean(1).min():.1f} | {operations / usual[0]:.2f} | "
            f"{kept / usual[1]:.2f} | {seconds:.0f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main()
