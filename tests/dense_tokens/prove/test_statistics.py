"""Intervals and tests against exact fractions and against what they promise."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from hornbook.dense_tokens.prove.statistics import accuracy, difference, mcnemar, needed


@pytest.mark.parametrize("questions", [8, 300, 4000])
@pytest.mark.parametrize("seed", range(4))
def test_mcnemar_is_the_binomial_test(seed: int, questions: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = rng.random(questions) < 0.55, rng.random(questions) < 0.5
    wins, losses = int((one & ~other).sum()), int((other & ~one).sum())
    tail = sum(comb(wins + losses, few) for few in range(min(wins, losses) + 1))
    exact = min(Fraction(1), Fraction(2 * tail, 2 ** (wins + losses)))
    assert mcnemar(one, other) == mcnemar(other, one) == pytest.approx(float(exact), rel=1e-9)
    assert mcnemar(one, one) == 1.0


def test_intervals_cover_the_truth() -> None:
    """Seeds differ by themselves, so an interval over questions alone would be far too narrow."""
    rng, covered = np.random.default_rng(0), 0
    for _ in range(60):
        skills = rng.normal(0.6, 0.1, 8)[:, None]
        right = rng.random((8, 200)) < skills
        interval = accuracy(right)
        assert interval.low <= interval.mean <= interval.high
        covered += interval.low <= 0.6 <= interval.high
    assert covered >= 48


def test_differences_are_paired() -> None:
    rng = np.random.default_rng(1)
    other = rng.random((5, 400)) < 0.5
    one = other | (rng.random((5, 400)) < 0.06)  # right wherever the other is, and a little more
    paired = difference(one, other)
    assert paired.mean == pytest.approx(one.mean() - other.mean())
    assert 0 < paired.low < paired.high < 0.06


@pytest.mark.parametrize(("difference", "share"), [(0.1, 0.25), (0.08, 0.5)])
def test_so_many_questions_show_it(difference: float, share: float) -> None:
    """In four of five simulated comparisons, which is the power that is promised."""
    count, rng, seen = needed(difference, share), np.random.default_rng(2), 0
    for _ in range(400):
        one, other = rng.random(count) < share + difference, rng.random(count) < share
        seen += mcnemar(one, other) < 0.05
    assert 0.72 < seen / 400 < 0.87
    assert needed(difference / 2, share) > 3 * count
