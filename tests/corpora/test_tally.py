"""What a text is made of."""

import numpy as np

from hornbook.corpora.tally import Tally


def test_letters_are_counted_by_script() -> None:
    tally = Tally()
    tally.add(["Ab1 -", "привет 日本"])
    tally.add(["かな カナ ไทย ع", "\0\ufffd\ufeffx", "Ab1 -"])
    assert tally.scripts == {
        "Cyrillic": 6,
        "Latin": 5,
        "Thai": 3,
        "Han": 2,
        "Hiragana": 2,
        "Katakana": 2,
        "Arabic": 1,
    }
    assert list(tally.odd.values()) == [1, 1, 1]
    assert len(tally.hashes) == 5 and len(np.unique(tally.hashes)) == 4
