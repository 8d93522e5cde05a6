"""Learning rates, against Hugging Face's schedules and T5's formula."""

import pytest
import torch
from transformers import get_scheduler

from hornbook.recipe import Training
from hornbook.schedules import learning_rate

STEPS, WARMUP, HIGHEST = 100, 10, 0.5


def hugging_face(name: str) -> list[float]:
    """Rates of steps 0 to STEPS - 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=HIGHEST)
    schedule = get_scheduler(name, optimizer, num_warmup_steps=WARMUP, num_training_steps=STEPS)
    rates = []
    for _ in range(STEPS):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return rates


@pytest.mark.parametrize(
    ("ours", "theirs"), [("linear", "linear"), ("cosine", "cosine"), ("constant", "constant_with_warmup")]
)
def test_as_hugging_face(ours: str, theirs: str) -> None:
    """But for the warmup, which there begins with a step at a rate of 0, and here without it."""
    training = Training(steps=STEPS, warmup=WARMUP, learning_rate=HIGHEST, schedule=ours)
    rates, expected = [learning_rate(training, step) for step in range(STEPS)], hugging_face(theirs)
    assert rates[:WARMUP] == pytest.approx(expected[1 : WARMUP + 1])
    assert rates[WARMUP:] == pytest.approx(expected[WARMUP:])


def test_inverse_square_root_is_t5s() -> None:
    """1 / sqrt(max(n, warmup)), scaled so that its highest is the recipe's."""
    training = Training(steps=STEPS, warmup=WARMUP, learning_rate=HIGHEST, schedule="inverse-square-root")
    rates = [learning_rate(training, step) for step in range(WARMUP - 1, STEPS)]
    assert rates == pytest.approx([HIGHEST * (WARMUP / n) ** 0.5 for n in range(WARMUP, STEPS + 1)])


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_floor(schedule: str) -> None:
    training = Training(steps=STEPS, warmup=0, learning_rate=1.0, schedule=schedule, floor=0.1)  # type: ignore[arg-type]
    rates = [learning_rate(training, step) for step in range(STEPS)]
    assert rates == sorted(rates, reverse=True) and 0.1 < rates[-1] < 0.111
