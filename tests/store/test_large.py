"""A store of more than 2**31 tokens is read exactly: no place is kept in 32 bits. The file is sparse."""

from pathlib import Path

import numpy as np

from hornbook.store import Plan, TokenStore, Windows

TOKENS = 2**31 + 5 * 10**8
MARKS = {2**31 - 2: 11, 2**31: 12, 2**31 + 1: 13, TOKENS - 1: 14}


def test_places_beyond_32_bits(tmp_path: Path) -> None:
    path = tmp_path / "tokens.bin"
    with path.open("wb") as file:
        file.truncate(2 * TOKENS)
        for place, token in MARKS.items():
            file.seek(2 * place)
            file.write(np.uint16(token).tobytes())
    ends = np.array([10, 2**31 - 1, 2**31 + 2, TOKENS])
    store = TokenStore(tmp_path, np.memmap(path, np.uint16, "r"), ends, np.ones(4, np.int64))
    starts = np.array([2**31 - 3, TOKENS - 2, 0])
    assert store.windows(starts, 5).tolist() == [[0, 11, 0, 12, 13], [0, 14, 0, 0, 0], [0] * 5]
    assert store.document(2).tolist() == [0, 12, 13]


def test_a_plan_reaches_every_part_of_it() -> None:
    window, plan = 512, Plan(Windows(TOKENS, 512), 1000, 0)
    starts = np.concatenate([plan.starts(step) for step in range(0, 4000, 100)])
    assert starts.dtype == np.int64 and starts.min() >= 0 and starts.max() < TOKENS
    assert len(np.unique(starts)) == len(starts)
    # A window's place is its number in the epoch, in Python's own numbers, from the token that the seed chose.
    first, count = int(starts[0]), TOKENS // window
    numbers = {(int(start) - first) % TOKENS // window for start in starts}
    assert len(numbers) == len(starts) and max(numbers) > 0.99 * count
    assert abs((starts >= 2**31).mean() - 5e8 / TOKENS) < 0.01
