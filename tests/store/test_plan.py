"""What is in step n is a function of (seed, n), and an epoch reads every token once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.errors import HornbookError
from hornbook.store import Plan


@given(st.integers(8, 500), st.integers(1, 8), st.integers(1, 7), st.integers(0, 5))
def test_every_epoch_reads_each_place_at_most_once(tokens: int, window: int, batch: int, seed: int) -> None:
    plan = Plan(tokens, window, batch, seed)
    steps = -(-3 * plan.windows // batch)
    starts = np.concatenate([plan.starts(step) for step in range(steps)])
    for epoch in range(3):
        mine = starts[epoch * plan.windows : (epoch + 1) * plan.windows]
        read = ((mine[:, None] + np.arange(window)) % tokens).ravel()
        assert len(np.unique(read)) == len(read) == plan.windows * window > tokens - window


def test_orders_and_cuts_differ_between_epochs_and_seeds() -> None:
    plan = Plan(10_000, 10, 1000, 0)
    first, second = plan.starts(0), plan.starts(1)
    other = Plan(10_000, 10, 1000, 1).starts(0)
    assert (first != second).mean() > 0.9 and (first != other).mean() > 0.9
    assert len({int(starts[0]) % 10 for starts in (plan.starts(step) for step in range(20))}) > 5


def test_a_share_of_the_rows_is_a_share_of_the_step() -> None:
    plan = Plan(5000, 16, 24, 3)
    assert (plan.starts(40, np.array([5, 17])) == plan.starts(40)[[5, 17]]).all()


def test_a_corpus_shorter_than_a_window_is_refused() -> None:
    with pytest.raises(HornbookError, match=r"99 tokens.*100.*model\.length"):
        Plan(99, 100, 1, 0)
