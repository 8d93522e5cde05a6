"""Where sentences begin, in the text and among its tokens."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hornbook.store import build
from hornbook.store.sentences import sentence_starts
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, encode_documents, train


@pytest.mark.parametrize(
    ("sentences", "said"),
    [
        (["One ends. ", "Two follows! ", "Three?"], "marks"),
        (
            ['"Is it?" ', "She asked (twice.) ", "“Yes.” ", "He left…  ", "Then."],
            "closing quotes and brackets",
        ),
        (
            ["pi is 3.14 and e.g. this goes on, v1.2.3 too. ", "New."],
            "numbers, and small letters after a stop",
        ),
        (['"No!" he cried. ', "Gone."], "speech that goes on"),
        (["A title\n", "and a line\n\n  ", "a paragraph"], "lines, whatever they begin with"),
        (["これは本です。", "あれは？", "はい。"], "stops without spaces"),
        (["यह है। ", "हाँ।"], "Hindi"),
        (["Wait..... ", "What?!?! ", "Well."], "runs"),
        (["no end"], "none"),
    ],
)
def test_sentences_of_a_text(sentences: list[str], said: str) -> None:
    assert sentence_starts("".join(sentences)) == np.cumsum([len(one) for one in sentences[:-1]]).tolist(), (
        said
    )


def test_a_text_that_ends_in_spaces_has_no_empty_sentence() -> None:
    assert sentence_starts("One. \n\n ") == [] and sentence_starts("") == []


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram"])
def test_tokens_of_a_sentence_are_those_that_its_text_has(
    kind: str, stories: list[str], tmp_path: Path
) -> None:
    """Decoded one by one, the store's sentences are the text's; and the tokens are those of a store without."""
    documents = [
        *stories[:15],
        "A title\n\nNaïve Zoë’s café. “Ça va?” Ø\nx",
        "word",
        "Literal </s>. And [SEP]. Ok.",
    ]
    style = STYLES["bert" if kind == "wordpiece" else "shared"]
    options = TokenizerOptions(kind=kind, vocab_size=450, min_frequency=1)
    tokenizer = build_fast_tokenizer(train(documents, options, style, 0), "masked", 64, style)
    end = tokenizer.sep_token_id
    store = build(tmp_path / "with", documents, tokenizer, end, sentences=True)
    plain = build(tmp_path / "without", documents, tokenizer, end)
    assert plain.sentences is None and store.sentences is not None
    assert (store.tokens == plain.tokens).all() and (store.ends == plain.ends).all()
    begins = [0, *store.ends[:-1].tolist()]
    for text, begin, stop in zip(documents, begins, store.ends.tolist(), strict=True):
        inside = store.sentences[(store.sentences >= begin) & (store.sentences < stop)].tolist()
        assert inside[0] == begin
        found = [
            tokenizer.decode(store.tokens[a:b].tolist())
            for a, b in zip(inside, [*inside[1:], stop - 1], strict=True)
        ]
        edges = [0, *sentence_starts(text), len(text)]
        wanted = [text[a:b] for a, b in pairwise(edges)]
        plainly = [tokenizer.decode(encode_documents(tokenizer, [one])[0]) for one in wanted]
        assert ["".join(one.split()) for one in found] == ["".join(one.split()) for one in plainly]
