"""Metrics against scipy, and against their textbook forms for two labels."""

from math import sqrt

import numpy as np
import pytest

from hornbook.finetuning.metrics import accuracy, f1, interval, macro_f1, matthews, pearson, spearman

RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, 2, 200).astype(float)
PREDICTED = np.where(RNG.random(200) < 0.7, LABELS, 1 - LABELS)


def test_two_labels():
    hits, false = ((PREDICTED == 1) & (LABELS == 1)).sum(), ((PREDICTED == 1) & (LABELS == 0)).sum()
    missed, rest = ((PREDICTED == 0) & (LABELS == 1)).sum(), ((PREDICTED == 0) & (LABELS == 0)).sum()
    precision, recall = hits / (hits + false), hits / (hits + missed)
    assert f1(PREDICTED, LABELS) == pytest.approx(100 * 2 * precision * recall / (precision + recall))
    phi = (hits * rest - false * missed) / sqrt(
        float((hits + false) * (hits + missed) * (rest + false) * (rest + missed))
    )
    assert matthews(PREDICTED, LABELS) == pytest.approx(100 * phi)
    assert accuracy(PREDICTED, LABELS) == pytest.approx((hits + rest) / 2)
    assert macro_f1(PREDICTED, LABELS) == pytest.approx(
        (f1(PREDICTED, LABELS) + f1(1 - PREDICTED, 1 - LABELS)) / 2
    )


def test_what_never_varies():
    same = np.zeros(5)
    assert matthews(same, np.array([0.0, 1, 0, 1, 1])) == 0
    assert pearson(same, np.arange(5.0)) == spearman(same, np.arange(5.0)) == 0
    assert f1(same, same) == 0


def test_correlations_are_scipys():
    from scipy.stats import pearsonr, spearmanr

    one, other = RNG.integers(0, 9, 60).astype(float), RNG.normal(size=60)  # with ties
    assert pearson(one, other) == pytest.approx(100 * pearsonr(one, other).statistic)
    assert spearman(one, other) == pytest.approx(100 * spearmanr(one, other).statistic)


def test_an_interval_of_one_seed_is_that_of_the_texts():
    low, high = interval(accuracy, PREDICTED[None], LABELS)
    share = (PREDICTED == LABELS).mean()
    half = 196 * sqrt(share * (1 - share) / 200)
    assert (low, high) == pytest.approx((100 * share - half, 100 * share + half), abs=1.5)
    apart = interval(accuracy, np.stack([PREDICTED, LABELS]), LABELS)
    assert apart[1] - apart[0] > high - low  # the seeds disagree
