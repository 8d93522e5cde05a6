"""What chance can do, against scipy.stats and statsmodels, and by brute force."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from hornbook.studies.statistics import chance, holm, resampled, seeds_needed


@pytest.mark.parametrize("seeds", [2, 3, 5, 20])
def test_the_p_value_is_that_of_the_paired_t_test(seeds: int) -> None:
    one, other = np.random.default_rng(seeds).normal(size=(2, seeds))
    assert chance((one - other).tolist()) == pytest.approx(stats.ttest_rel(one, other).pvalue)


def test_equal_differences_are_no_division_by_zero() -> None:
    # Shares of few questions agree by chance, up to rounding: a p-value of 0 would be the surest of all answers.
    for same in ([0.5, 0.5], [0.0, 0.0], [52.7 - 52.1, 52.8 - 52.2]):
        assert chance(same) == 1 and seeds_needed(same) is None


def test_holm() -> None:
    """By hand, for Holm (1979): 0.01 x 4, 0.02 x 3, 0.03 x 2, and never less than one before."""
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1, 1] and holm([]) == []


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_holm_is_statsmodels(count: int) -> None:
    several = pytest.importorskip("statsmodels.stats.multitest", reason="pip install hornbook[test]")
    rng = np.random.default_rng(count)
    given = [*rng.uniform(size=count), *rng.uniform(0, 0.05, count)]
    assert holm(given) == pytest.approx(several.multipletests(given, method="holm")[1])


@pytest.mark.parametrize("effect", [0.3, 0.6, 1.0, 2.0])
def test_the_seeds_needed_are_statsmodels(effect: float) -> None:
    power = pytest.importorskip("statsmodels.stats.power", reason="pip install hornbook[test]").TTestPower()
    count = power.solve_power(effect_size=effect, alpha=0.05, power=0.8)
    spread = np.array([-1.0, 0.0, 1.0])  # whose deviation is 1
    assert seeds_needed((effect + spread).tolist()) == int(np.ceil(count))


def test_holm_bounds_the_chance_of_any_false_finding() -> None:
    """Where nothing differs, one study in twenty finds anything; without the correction it would be one in seven."""
    rng = np.random.default_rng(0)
    ps = np.array([[chance(one) for one in study] for study in rng.normal(size=(2000, 3, 4)).tolist()])
    corrected = [min(holm(one)) < 0.05 for one in ps.tolist()]
    assert np.mean(corrected) == pytest.approx(0.05, abs=0.015) and (ps.min(1) < 0.05).mean() > 0.12


def test_the_bootstrap_is_scipys() -> None:
    values = np.random.default_rng(1).normal(1, 2, 12)
    options = {"method": "percentile", "n_resamples": 20_000, "random_state": np.random.default_rng(2)}
    expected = stats.bootstrap((values,), np.mean, **options).confidence_interval
    assert resampled(values.tolist()) == pytest.approx((expected.low, expected.high), abs=0.05)


def test_the_bootstrap_of_three_is_that_of_all_samples() -> None:
    values = [0.1, 0.5, 0.9]
    means = [np.mean(drawn) for drawn in product(values, repeat=3)]
    assert resampled(values) == pytest.approx(np.percentile(means, [2.5, 97.5], method="inverted_cdf"))


@pytest.mark.parametrize("effect", [0.6, 1.0, 2.0])
def test_so_many_seeds_show_it_four_times_in_five(effect: float) -> None:
    """Studies of so many seeds are made up, and tested; one seed less is too few."""
    spread = np.array([-1.0, 0.0, 1.0])
    seeds = seeds_needed((effect + spread).tolist())
    assert seeds is not None
    rng = np.random.default_rng(3)

    def found(count: int) -> float:
        made = rng.normal(effect, 1, (20_000, count))
        return float((stats.ttest_1samp(made, 0, axis=1).pvalue < 0.05).mean())

    assert found(seeds) > 0.79 and found(seeds - 1) < 0.81


def test_what_needs_over_a_thousand_seeds() -> None:
    assert seeds_needed([0.001 + one for one in (-1.0, 0.0, 1.0)]) is None
