"""Draws belong to (seed, step, row, purpose), and are as random as they should be."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from hornbook.rng import _GOLDEN, CounterRNG, key, mix, permute


def test_mix_gives_the_published_splitmix64_sequence() -> None:
    places = np.arange(1, 6, dtype=np.uint64)
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert mix(np.uint64(1234567) + places * _GOLDEN).tolist() == published


def test_a_row_has_its_numbers_whoever_draws_them() -> None:
    whole = CounterRNG(3, 7, np.arange(10)).uniform("masks", 50)
    share = CounterRNG(3, 7, np.array([8, 2])).uniform("masks", 50)
    assert (share == whole[[8, 2]]).all()
    assert (CounterRNG(3, 7, np.arange(10)).uniform("masks", 20) == whole[:, :20]).all()


def test_some_places_have_the_numbers_of_all() -> None:
    rng = CounterRNG(3, 7, np.array([8, 2, 5]))
    whole = rng.uniform("masks", 50)
    examples, places = np.nonzero(whole < 0.3)
    assert (rng.uniform_at("masks", examples, places) == whole[examples, places]).all()


@pytest.mark.parametrize(
    "other",
    [CounterRNG(4, 7, np.arange(10)), CounterRNG(3, 8, np.arange(10)), CounterRNG(3, "7", np.arange(10))],
)
def test_seed_and_step_change_every_row(other: CounterRNG) -> None:
    here, there = CounterRNG(3, 7, np.arange(10)).uniform("masks", 1000), other.uniform("masks", 1000)
    assert abs(np.corrcoef(here.ravel(), there.ravel())[0, 1]) < 0.05


def test_rows_steps_and_purposes_are_uncorrelated() -> None:
    streams = [
        CounterRNG(0, step, np.arange(20)).uniform(purpose, 5000) for step in range(3) for purpose in "ab"
    ]
    correlations = np.corrcoef(np.concatenate(streams))
    np.fill_diagonal(correlations, 0)
    assert np.abs(correlations).max() < 5 / np.sqrt(5000)


def test_uniform_is_uniform_along_and_across_rows() -> None:
    numbers = CounterRNG(0, 0, np.arange(2000)).uniform("masks", 50)
    assert kstest(numbers.ravel(), "uniform").pvalue > 1e-3
    assert kstest(numbers[:, 0], "uniform").pvalue > 1e-3


def test_choose_gives_every_set_equally_often() -> None:
    chosen = CounterRNG(0, 0, np.arange(30_000)).choose("spans", 6, 3)
    assert chosen.shape == (30_000, 3)
    counts = Counter(map(tuple, chosen.tolist()))
    assert set(counts) == set(combinations(range(6), 3))
    assert chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize("chosen", [0, 5])
def test_choose_none_or_all(chosen: int) -> None:
    assert CounterRNG(0, 0, np.arange(4)).choose("spans", 5, chosen).tolist() == [list(range(chosen))] * 4


@given(st.integers(1, 3000), st.integers(0, 2**63 - 1))
def test_permute_is_a_permutation(size: int, stream: int) -> None:
    assert sorted(permute(np.arange(size), size, stream).tolist()) == list(range(size))


def test_permute_sends_every_place_everywhere() -> None:
    landed = [int(permute(np.array([3]), 10, key("stream", number))[0]) for number in range(5000)]
    assert chisquare(list(Counter(landed).values())).pvalue > 1e-3 and len(set(landed)) == 10


def test_permute_needs_no_memory_for_billions() -> None:
    places = np.arange(10**12, 10**12 + 1000)
    assert len(np.unique(permute(places, 2 * 10**12, 1))) == 1000
