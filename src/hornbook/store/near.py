"""Documents that are nearly the same, found by MinHash."""

import numpy as np

from hornbook.errors import HornbookError
from hornbook.store.tokens import TokenStore

_RUN = 5
"""Tokens of a run; documents are alike where they have many runs in common."""
_PERMUTATIONS, _SEED = 128, 42  # the library's own


def count_near_duplicates(store: TokenStore, likeness: float) -> int:
    """Count the documents that are like an earlier one: their Jaccard similarity is about `likeness` or more.

    It is that of the sets of their runs of five tokens, as MinHash estimates it (Broder, 1997, "On the resemblance and
    containment of documents"); a shorter document is one run. Raises HornbookError where rensa isn't installed.
    """
    try:
        from rensa import RMinHash, RMinHashDeduplicator
    except ImportError as error:
        raise HornbookError(
            "corpus.near_duplicates needs another library: pip install 'hornbook[near]', or leave it out"
        ) from error
    seen = RMinHashDeduplicator(likeness, _PERMUTATIONS, True)
    found, begin = 0, 0
    for number, end in enumerate(store.ends.tolist()):
        tokens = np.asarray(store.tokens[begin : end - 1]).astype("<u4")
        begin = end
        width = min(_RUN, len(tokens))
        if not width:
            continue
        runs = np.lib.stride_tricks.sliding_window_view(tokens, width)
        sketch = RMinHash(_PERMUTATIONS, _SEED)
        sketch.update([run.tobytes() for run in runs])
        found += not seen.add(str(number), sketch)
    return found
