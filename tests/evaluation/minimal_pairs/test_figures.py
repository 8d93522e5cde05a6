"""What scores come to: means of paradigms, Wilson's interval against a table, ties, and what length did."""

import numpy as np
import pytest

from hornbook.evaluation.intervals import wilson
from hornbook.evaluation.minimal_pairs.figures import judged, lengths, share


def test_a_tie_is_half_right():
    assert judged(np.array([0.1, -2.0, 0.0])).tolist() == [1.0, 0.0, 0.5]


def test_each_paradigm_counts_the_same():
    found = share([np.ones(10), np.zeros(1000)])
    assert found.right == 50 and found.pairs == 1010
    assert 25 < found.high - found.low < 35  # as sure as about 40 pairs make it, not 1,010
    assert share([np.ones(500), np.zeros(500)]).low == pytest.approx(100 * wilson(0.5, 1000)[0])


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval(right, count, low, high):
    assert wilson(right / count, count) == pytest.approx((low, high), abs=1e-4)


def test_what_length_did_is_told():
    told = lengths(np.array([1.0, 0.0, 1.0, 1.0]), np.array([5, 5, 4, 6]), np.array([5, 5, 6, 4]))
    assert "In 2 pairs both halves have as many tokens: 50.0 % right" in told
    assert "In 2 they differ: 100.0 % right; it prefers the shorter half in 50.0 %" in told
    assert "the shorter one is good in 50.0 %" in told
