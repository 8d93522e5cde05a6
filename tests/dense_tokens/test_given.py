"""Dense tokens that a text itself holds: taken out as places, put back as they stood."""

from pathlib import Path

import numpy as np
import pytest

from hornbook.dense_tokens.given import Stream
from hornbook.dense_tokens.insert import insert
from hornbook.dense_tokens.select import SelectOptions
from hornbook.errors import HornbookError
from hornbook.store import TokenStore

DENSE = 9


def store_of(tokens: list[int]) -> TokenStore:
    return TokenStore(Path(), np.array(tokens, np.uint16), np.array([len(tokens)]), np.array([1]))


def test_they_are_put_back_as_they_stood() -> None:
    stream = Stream.of(store_of([DENSE, 0, 1, DENSE, DENSE, 2, 3, 4, DENSE, 5, 6, DENSE]), DENSE)
    assert stream.words.tolist() == [0, 1, 2, 3, 4, 5, 6]
    words, places = stream.windows(np.array([0, 3, 4]), 4)
    put = insert(words, places, DENSE)
    rows = [ids[real].tolist() for ids, real in zip(put.ids, put.real, strict=True)]
    # What stands before the first word, or after the last one of a window, helps no word in it. Stores are rings.
    assert rows == [[0, 1, DENSE, DENSE, 2, 3], [3, 4, DENSE, 5, 6], [4, DENSE, 5, 6, DENSE, 0]]


def test_a_text_without_any_is_as_before() -> None:
    tokens = list(range(9))
    words, places = Stream.of(store_of(tokens), DENSE).windows(np.array([0, 7]), 4)
    assert words.tolist() == [[0, 1, 2, 3], [7, 8, 0, 1]] and places.shape == (2, 0)


def test_what_is_proposed_beside_them() -> None:
    """By default nothing; whoever gives a number gets it."""
    default = SelectOptions(count=None, share=None)
    assert default.beside(0) == SelectOptions() == SelectOptions(count=4, share=0.5)
    alone = default.beside(12)
    assert (alone.count, alone.share, alone.proposals) == (0, 1.0, 1)
    assert SelectOptions(count=2).beside(12).count == 2 and SelectOptions(count=2).beside(12).share == 0.5
    assert SelectOptions(share=0.25).beside(12).share == 0.25
    with pytest.raises(HornbookError, match="no dense tokens of its own: propose at least one"):
        SelectOptions(count=0).beside(0)
