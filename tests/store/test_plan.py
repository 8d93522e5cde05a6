"""What is in step n is a function of (seed, n), and an epoch reads every token once."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.errors import HornbookError
from hornbook.store import DocumentChunks, Plan, Windows


@given(st.integers(8, 500), st.integers(1, 8), st.integers(1, 7), st.integers(0, 5))
def test_every_epoch_reads_each_place_at_most_once(tokens: int, window: int, batch: int, seed: int) -> None:
    plan = Plan(Windows(tokens, window), batch, seed)
    count = plan.chunking.count
    steps = -(-3 * count // batch)
    starts = np.concatenate([plan.starts(step) for step in range(steps)])
    for epoch in range(3):
        mine = starts[epoch * count : (epoch + 1) * count]
        read = ((mine[:, None] + np.arange(window)) % tokens).ravel()
        assert len(np.unique(read)) == len(read) == count * window > tokens - window


def test_orders_and_cuts_differ_between_epochs_and_seeds() -> None:
    plan = Plan(Windows(10_000, 10), 1000, 0)
    first, second = plan.starts(0), plan.starts(1)
    other = Plan(Windows(10_000, 10), 1000, 1).starts(0)
    assert (first != second).mean() > 0.9 and (first != other).mean() > 0.9
    assert len({int(starts[0]) % 10 for starts in (plan.starts(step) for step in range(20))}) > 5


def test_a_share_of_the_rows_is_a_share_of_the_step() -> None:
    rows = np.array([5, 17])
    for copies in (None, 3):
        plan = Plan(Windows(5000, 16), 24, 3, copies)
        assert (plan.starts(40, rows) == plan.starts(40)[rows]).all()
        assert (plan.rng(40, rows).uniform("x", 4) == plan.rng(40).uniform("x", 4)[rows]).all()


def test_a_corpus_shorter_than_a_window_is_refused() -> None:
    with pytest.raises(HornbookError, match=r"99 tokens.*100.*model\.length"):
        Plan(Windows(99, 100), 1, 0)


def test_copies_keep_the_cuts_and_repeat_the_draws() -> None:
    """Each place has as many random numbers as there are copies, in their turn; the order is new in every epoch."""
    plan = Plan(Windows(1000, 10), 100, 0, copies=3)
    epochs = [
        (plan.starts(step), plan.rng(step).uniform("x", 1)[:, 0]) for step in range(9)
    ]  # an epoch is a step
    drawn = [dict(zip(starts.tolist(), numbers.tolist(), strict=True)) for starts, numbers in epochs]
    assert all(set(one) == set(range(0, 1000, 10)) for one in drawn)
    for epoch in range(6):
        assert drawn[epoch] == drawn[epoch + 3]
        assert (epochs[epoch][0] != epochs[epoch + 3][0]).any()
    for other in (1, 2):
        assert not set(drawn[0].values()) & set(drawn[other].values())


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(2, 12), st.integers(0, 10**6))
def test_stretches_begin_in_their_documents_and_leave_nothing_out(
    lengths: list[int], window: int, stream: int
) -> None:
    """Against a loop over the documents: first starts, at most a window apart, and the end within reach."""
    ends = np.cumsum(np.array(lengths) + 1)
    chunking = DocumentChunks(ends, window)
    if not chunking.count:
        assert max(lengths) < 2
        return
    for chosen in (None, stream):
        starts = chunking.starts(np.arange(chunking.count), chosen)
        for length, end in zip(lengths, ends.tolist(), strict=True):
            begin = end - 1 - length
            mine = sorted(start for start in starts.tolist() if begin <= start < end)
            assert len(mine) == (-(-length // window) if length >= 2 else 0)
            if mine:
                edges = [*mine, end - 1]
                assert mine[0] == begin
                assert all(0 < b - a <= window for a, b in pairwise(edges))
    assert (
        chunking.starts(np.arange(chunking.count) + chunking.count)
        == chunking.starts(np.arange(chunking.count))
    ).all()


def test_stretches_are_cut_elsewhere_by_each_stream() -> None:
    chunking = DocumentChunks(np.array([1001]), 100)
    assert (
        len({int(chunking.starts(np.array([1]), stream)[0]) for stream in range(50)}) == 1
    )  # nothing is left over
    chunking = DocumentChunks(np.array([1031]), 100)
    seconds = {int(chunking.starts(np.array([1]), stream)[0]) for stream in range(500)}
    assert min(seconds) == 30 and max(seconds) == 100 and len(seconds) > 60
