"""Intervals and verdicts, against formulas in print and by hand."""

from math import atan, cos, pi, prod, sin, sqrt

import numpy as np
import pytest
from scipy import stats

from hornbook.studies.answer import answer, unequal_size, uneven
from hornbook.studies.figure import Figure
from hornbook.studies.statistics import interval

LOSS, PROBE = Figure(loss="masked"), Figure(probe="masked_next_sentence")


def within(t: float, freedom: int) -> float:
    """Give the probability of -t to t under Student's distribution: Abramowitz and Stegun (1964), 26.7.3 and 26.7.4."""
    angle, odd = atan(t / sqrt(freedom)), freedom % 2
    ratios = [place / (place + 1) for place in range(1 + odd, freedom - 2, 2)]
    terms = [prod(ratios[:count]) * cos(angle) ** (2 * count) for count in range(len(ratios) + 1)]
    if not odd:
        return sin(angle) * sum(terms)
    return 2 / pi * (angle + (sin(angle) * cos(angle) * sum(terms) if freedom > 1 else 0))


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 6, 9, 10, 29, 100])
def test_the_reach_is_students(freedom: int) -> None:
    values = np.random.default_rng(freedom).normal(size=freedom + 1)
    _, low, high = interval(values.tolist())
    reach = (high - low) / 2 / (values.std(ddof=1) / sqrt(freedom + 1))
    assert within(reach, freedom) == pytest.approx(0.95, abs=1e-9)


def test_the_interval_is_that_of_a_paired_t_test() -> None:
    one, other = np.array([3.1, 3.4, 2.9, 3.3]), np.array([3.0, 3.1, 2.8, 3.0])
    expected = stats.ttest_rel(one, other).confidence_interval(0.95)
    middle, low, high = interval((one - other).tolist())
    assert (low, high) == pytest.approx((expected.low, expected.high)) and middle == pytest.approx(0.2)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0).normal(1.0, 2.0, (2000, 3))
    held = [low < 1.0 < high for _, low, high in map(interval, rng.tolist())]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def test_a_lower_loss_is_better_and_a_higher_share_is() -> None:
    [told] = answer("loss", LOSS, {"plain": [4.0, 4.1, 4.2], "new": [3.0, 3.11, 3.2]})
    assert told.decided and told.difference == pytest.approx(-0.9967, abs=1e-4)
    assert told.sentence == (
        "Loss: 3.103 (new) against 4.100 (plain), better by 0.997 nats/label "
        "(95 % interval −1.011 to −0.982, 3 seeds)."
    )
    [told] = answer("asked", PROBE, {"plain": [0.5, 0.51, 0.52], "new": [0.7, 0.71, 0.721]})
    assert "71.0 % (new) against 51.0 % (plain), better by 20.0 points" in told.sentence
    [told] = answer("asked", PROBE, {"plain": [0.7, 0.71, 0.721], "new": [0.5, 0.51, 0.52]})
    assert "worse by 20.0 points" in told.sentence
    [told] = answer("peak_memory", PROBE, {"plain": [0.7, 0.71], "new": [0.5, 0.51]})
    assert told.sentence.startswith("Peak memory: 50.5 % (new)") and told.figure == "peak_memory"


def test_what_chance_can_do_is_undecided() -> None:
    told, other = answer("loss", LOSS, {"a": [4.0, 4.1, 4.2], "b": [4.1, 4.0, 4.2], "c": [4.4, 4.5, 4.61]})
    assert not told.decided and told.low < 0 < told.high and "undecided" in told.sentence
    assert other.decided and "worse" in other.sentence and (other.arm, other.base) == ("c", "a")


def test_seeds_that_all_differ_alike_decide_nothing() -> None:
    """Two seeds of 670 questions each were 0.6 points better, and p below 0.001: the same four questions."""
    (told,) = answer("BLiMP", PROBE, {"parent": [0.521, 0.522], "mine": [0.527, 0.528]})
    assert not told.decided and told.p == 1 and told.needed is None
    assert "undecided, for each of the 2 seeds has a difference of +0.6 points: " in told.sentence


def test_times_that_are_not_equal_are_told() -> None:
    assert uneven({"a": [60.0, 62.0], "b": [64.0, 66.0]}) == []
    [told] = uneven({"a": [60.0, 62.0], "b": [30.0, 34.0]})
    assert "(a 61 s, b 32 s)" in told


def test_several_comparisons_are_corrected() -> None:
    """A p of 0.04 alone is decided; as one of two with a p as large, it isn't, and the sentence says so."""
    base, near = [4.0, 4.1, 4.2], [3.9, 3.94, 4.12]
    alone = answer("loss", LOSS, {"a": base, "b": near})
    both = answer("loss", LOSS, {"a": base, "b": near, "c": [4.1, 4.26, 4.28]})
    assert 0.04 < alone[0].p < 0.05 and alone[0].decided and "Holm" not in alone[0].sentence
    assert both[0].p == pytest.approx(2 * alone[0].p) and not both[0].decided
    assert "after Holm’s correction for 2 comparisons" in both[0].sentence
    assert "difference of that size would take about" in both[0].sentence


def test_runs_that_failed_are_left_out_by_seed() -> None:
    whole = answer("loss", LOSS, {"a": [4.0, 4.2], "b": [3.0, 3.1]})
    assert answer("loss", LOSS, {"a": [4.0, 9.0, 4.2], "b": [3.0, None, 3.1]}) == whole
    assert answer("loss", LOSS, {"a": [4.0, 9.0, 4.2], "b": [3.0, None, None]}) == []


def test_sizes_that_are_not_equal_are_told() -> None:
    assert unequal_size({"a": 1000, "b": 1020}) == []
    [told] = unequal_size({"a": 1000, "b": 1021})
    assert "(a 1,000, b 1,021)" in told
