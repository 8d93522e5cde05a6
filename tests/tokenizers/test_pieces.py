"""A long text that is cut into pieces gives the same words and the same ids as the whole."""

import random
from itertools import chain

import pytest

from hornbook.tokenizers import STYLES, TokenizerOptions, encode, encode_documents, train
from hornbook.tokenizers.pieces import in_pieces, pieces

ODD = " \n\t..,'’s don't café e\u0301 \u00a0x_y 12,5 天地玄黃。宇宙洪荒，日月盈昃। हिन्दी <mask></s> 🙂👨‍👩‍👧 ǅ ß\r\nA"


@pytest.fixture(scope="module")
def text(stories: list[str]) -> str:
    """Stories with all that is odd between their words."""
    draw = random.Random(0)
    words = " ".join(stories[:40]).split(" ")
    return "".join(word + draw.choice([" ", " ", "\n", "  ", *ODD]) for word in words)


@pytest.mark.parametrize("kind", ["bpe", "unigram", "wordpiece"])
@pytest.mark.parametrize("normalize", ["nfc", "nfkc"])
def test_words_and_ids_are_those_of_the_whole(
    kind: str, normalize: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = TokenizerOptions.model_validate(
        {"kind": kind, "vocab_size": 600, "normalize": normalize, "lowercase": True}
    )
    whole = train([text], options, STYLES["shared"], 0)
    ids = encode_documents(whole, ["one", text, "two"])
    cut = list(pieces(text, lambda one: encode_documents(whole, [one])[0], 60))
    assert "".join(cut) == text and len(cut) > len(text) / 150
    assert list(chain.from_iterable(encode_documents(whole, cut))) == ids[1]

    monkeypatch.setattr(encode, "LONGEST", 50)
    monkeypatch.setattr("hornbook.tokenizers.pieces.pieces.__defaults__", (None, 50))
    assert encode_documents(whole, ["one", text, "two"]) == ids
    parts = list(in_pieces([text]))
    assert "".join(parts) == text and len(parts) > len(text) / 100
    assert train([text], options, STYLES["shared"], 0).to_str() == whole.to_str()


def test_a_text_without_a_place_stays_whole() -> None:
    assert list(pieces("x" * 300, longest=100)) == ["x" * 300]
    assert list(pieces("x" * 250 + " y" * 10, longest=100)) == ["x" * 250 + " y" * 10]
