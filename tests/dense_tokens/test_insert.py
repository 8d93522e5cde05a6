"""Insertion against lists, and places against what was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.dense_tokens.insert import choose_places, every, insert
from hornbook.rng import CounterRNG


@given(
    st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3), min_size=1, max_size=4), st.integers(1, 7)
)
def test_insert_against_lists(after: list[list[int]], length: int) -> None:
    places = np.minimum(np.array(after), length)  # one behind the last word is none
    words = np.arange(length)[None] + 10 * np.arange(1, len(places) + 1)[:, None]
    put = insert(words, places, 99)
    for row, columns in enumerate(places):
        expected: list[int] = []
        for column, word in enumerate(words[row].tolist()):
            expected += [word, *[99] * int((columns == column).sum())]
        real = put.real[row]
        assert real.tolist() == sorted(real, reverse=True)  # padding stands behind everything
        assert put.ids[row][real].tolist() == expected
        assert put.dense[row][real].tolist() == [token == 99 for token in expected]
        assert words[row][put.origin[row]][real & ~put.dense[row]].tolist() == words[row].tolist()
    assert put.real.any(0).all()  # and there is no more of it than rows need


def test_places_are_sets_of_allowed_columns() -> None:
    weights = np.tile([0.0, 1, 1, 0, 1, 1, 0], (50, 1))
    places = choose_places(CounterRNG(0, 0, np.arange(50)), "here", weights, 6, 3)
    assert places.shape == (50, 6, 3)
    assert (np.diff(places, axis=2) > 0).all() and np.isin(places, [1, 2, 4, 5]).all()
    again = choose_places(CounterRNG(0, 0, np.arange(20, 30)), "here", weights[:10], 6, 3)
    assert np.array_equal(again, places[20:30])  # rows depend on their numbers alone
    other = choose_places(CounterRNG(0, 0, np.arange(50)), "there", weights, 6, 3)
    assert not np.array_equal(other, places)


def test_weights_are_odds() -> None:
    weights = np.tile([1.0, 2.0, 5.0], (20_000, 1))
    places = choose_places(CounterRNG(1, 0, np.arange(20_000)), "odds", weights, 1, 1)
    shares = np.bincount(places.ravel(), minlength=3) / 20_000
    assert shares == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=0.015)


def test_every() -> None:
    assert every(np.zeros((2, 8), np.int64), 3).tolist() == [[2, 5]] * 2
    assert every(np.zeros((1, 6), np.int64), 3).tolist() == [[2]]  # nothing follows the last word
