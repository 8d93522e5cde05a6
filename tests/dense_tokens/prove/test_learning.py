"""The depths of the questions in training."""

import numpy as np
import pytest

from hornbook.dense_tokens.prove.learning import draw_depths
from hornbook.dense_tokens.prove.tasks import TASKS

TASK, STEPS = TASKS["s3"], 4000


def greatest(curriculum: str) -> np.ndarray:
    """Give the greatest depth among each hundred steps."""
    return draw_depths(TASK, STEPS, curriculum).reshape(-1, 100).max(1)


def test_depths_grow_with_a_curriculum_and_are_all_there_without_one() -> None:
    square, linear, none = (greatest(one) for one in ("square", "linear", "none"))
    assert (none == TASK.depth).all()
    assert (square <= linear).all() and (square < linear).any()
    for grown in (square, linear):
        assert grown[0] == 2 and (np.diff(grown) >= 0).all()
        assert (grown[24:] == TASK.depth).all()  # from six tenths of the steps on


@pytest.mark.parametrize("curriculum", ["square", "linear", "none"])
def test_half_of_the_last_steps_have_the_greatest_depth_and_half_any(curriculum: str) -> None:
    last = draw_depths(TASK, STEPS, curriculum)[STEPS * 6 // 10 :]
    share = (np.bincount(last, minlength=TASK.depth + 1) / len(last))[1:]
    assert share[-1] == pytest.approx(0.5 + 0.5 / TASK.depth, abs=0.05)
    assert share[:-1] == pytest.approx(0.5 / TASK.depth, abs=0.03)
