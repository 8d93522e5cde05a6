"""A long text that is cut into pieces gives the same words and the same ids as the whole."""

import random
from itertools import chain

import numpy as np
import pytest

from hornbook.tokenizers import STYLES, TokenizerOptions, encode, encode_at, encode_documents, train
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
    monkeypatch.setattr("hornbook.tokenizers.pieces.pieces.__defaults__", (None, 150))  # each has a space
    parts = list(in_pieces([text]))
    assert "".join(parts) == text and len(parts) > len(text) / 200
    assert train([text], options, STYLES["shared"], 0).to_str() == whole.to_str()


def test_ids_of_a_text_without_a_place_are_made_at_once() -> None:
    def made(text: str) -> list[int]:
        return [len(text)]  # no two parts have the ids of the whole

    assert list(pieces("x" * 300, made, longest=100)) == ["x" * 300]
    assert list(pieces("x" * 250 + " y" * 10, made, longest=100)) == ["x" * 250 + " y" * 10]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("x" * 80 + " " + "y" * 40, ["x" * 80, " " + "y" * 40]),
        ("天" * 80 + "。" + "地" * 40, ["天" * 80 + "。", "地" * 40]),
        ("x" * 250, ["x" * 100, "x" * 100, "x" * 50]),
    ],
)
def test_a_training_has_no_piece_that_is_longer(text: str, cut: list[str]) -> None:
    assert list(pieces(text, longest=100)) == cut


@pytest.mark.parametrize("kind", ["bpe", "wordpiece"])
def test_a_text_without_spaces_is_cut_at_its_stops(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There the pre-tokenizers cut too, so that nothing changes."""
    draw = random.Random(0)
    text = "".join(
        "".join(draw.choices("天地玄黃宇宙洪荒日月盈昃", k=7)) + draw.choice("。，") for _ in range(300)
    )
    options = TokenizerOptions.model_validate({"kind": kind, "vocab_size": 500})
    whole = train([text], options, STYLES["shared"], 0)
    monkeypatch.setattr("hornbook.tokenizers.pieces.pieces.__defaults__", (None, 60))
    assert len(list(in_pieces([text]))) > 30
    assert train([text], options, STYLES["shared"], 0).to_str() == whole.to_str()


@pytest.mark.parametrize("kind", ["bpe", "unigram", "wordpiece"])
def test_characters_are_found_as_in_the_whole(kind: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train(
        [text], TokenizerOptions.model_validate({"kind": kind, "vocab_size": 600}), STYLES["shared"], 0
    )
    places = np.arange(0, len(text), 3)
    [(ids, found)] = encode_at(whole, [text], [places])
    monkeypatch.setattr(encode, "LONGEST", 50)
    monkeypatch.setattr("hornbook.tokenizers.pieces.pieces.__defaults__", (None, 50))
    [(again, same)] = encode_at(whole, [text], [places])
    assert again == ids and np.array_equal(same, found)
