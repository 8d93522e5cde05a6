"""Documents that are nearly the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hornbook.store import TokenStore
from hornbook.store.near import count_near_duplicates


def test_documents_are_counted_that_are_like_an_earlier_one() -> None:
    """Against Jaccard similarities that are computed in full."""
    random = np.random.default_rng(0)
    documents = [random.integers(0, 5000, 200) for _ in range(30)]
    for one in documents[:6]:
        changed = one.copy()
        changed[100] += 1  # 5 of 196 runs differ
        documents.append(changed)
    documents += [documents[0], np.array([7, 8]), np.array([7, 8]), np.array([], np.int64)]
    runs = [
        {tuple(one[i : i + 5]) for i in range(max(1, len(one) - 4))} if len(one) else set()
        for one in documents
    ]
    wanted = sum(
        any(len(runs[a] & runs[b]) / len(runs[a] | runs[b]) >= 0.8 for a in range(b))
        for b in range(len(runs) - 1)
    )
    tokens = np.concatenate([np.append(one, 0) for one in documents]).astype(np.uint16)
    ends = np.cumsum([len(one) + 1 for one in documents])
    store = TokenStore(Path(), tokens, ends, ends)
    assert count_near_duplicates(store, 0.8) == wanted == 8
    assert count_near_duplicates(replace(store, tokens=tokens[:-1], ends=ends[:30]), 0.8) == 0


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from hornbook.errors import HornbookError

    monkeypatch.setitem(sys.modules, "rensa", None)
    nothing = np.array([], np.int64)
    with pytest.raises(HornbookError, match=r"pip install 'hornbook\[near\]'"):
        count_near_duplicates(TokenStore(Path(), nothing, nothing, nothing), 0.8)
