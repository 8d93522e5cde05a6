"""What becomes of a word in WordPiece and Unigram, against splitting by hand over the pieces that remain."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from hornbook.errors import HornbookError
from hornbook.tokenizers import reindex
from hornbook.tokenizers.reindex import Reindexed

LETTERS = "abcd"
WORDS = st.lists(st.text("abcdz", min_size=1, max_size=9), max_size=12)
PIECES = st.lists(st.text(LETTERS, min_size=2, max_size=5), unique=True, max_size=14)


def pieces(tokenizer: Tokenizer) -> Any:
    return json.loads(tokenizer.to_str())["model"]["vocab"]


def make_room(old: Tokenizer, number: int) -> Reindexed | None:
    """Give so many new tokens a place, or nothing where so many pieces can't go."""
    try:
        return reindex(old, {"?": 0, **{f"<{n}>": -1 - n for n in range(number)}})
    except HornbookError:
        return None


def check_word(old: Tokenizer, done: Reindexed, word: str) -> list[str]:
    """A word whose tokens all stay has the old ids, mapped; give what it has now.

    An unknown word may become known: WordPiece takes the longest piece first, and where that leads to no end, the word
    is unknown until the piece is dropped.
    """
    before, after = old.encode(word), done.tokenizer.encode(word)
    mapped = [done.mapping[i] for i in before.ids]
    assert None in mapped or after.ids == mapped or before.tokens == ["?"]
    return after.tokens


def longest_first(vocabulary: Any, word: str, unknown: str = "?") -> list[str]:
    """Split a word as Devlin et al. do, letter by letter."""
    found: list[str] = []
    while rest := word[sum(len(one.removeprefix("##")) for one in found) :]:
        mark = "##" if found else ""
        fitting = [end for end in range(1, len(rest) + 1) if mark + rest[:end] in vocabulary]
        if not fitting:
            return [unknown]
        found.append(mark + rest[: max(fitting)])
    return found


@settings(deadline=None, max_examples=200)
@given(first=PIECES, inner=PIECES, number=st.integers(0, 12), words=WORDS, spelt=st.booleans())
@example(first=["aa", "ab", "ba", "aaa"], inner=["aa", "ac"], number=5, words=["aac"], spelt=False)
def test_wordpiece(first: list[str], inner: list[str], number: int, words: list[str], spelt: bool) -> None:
    letters = [*LETTERS, *(f"##{letter}" for letter in LETTERS[: 4 if spelt else 2])]
    entries = ["?", *letters, *first, *(f"##{piece}" for piece in inner)]
    old = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(entries)}, unk_token="?"))
    old.add_special_tokens(["?"])
    done = make_room(old, number)
    if done is None:
        return
    left = pieces(done.tokenizer)
    for word in words:
        tokens = check_word(old, done, word)
        assert tokens == longest_first(left, word)
        assert tokens != ["?"] or not spelt or "z" in word


def likeliest(scores: dict[str, float], word: str) -> float:
    """Score the best of all splits of a word."""

    @cache
    def best(rest: str) -> float:
        ends = [end for end in range(1, len(rest) + 1) if rest[:end] in scores]
        return max((scores[rest[:end]] + best(rest[end:]) for end in ends), default=-1e9) if rest else 0.0

    return best(word)


@settings(deadline=None, max_examples=200)
@given(
    learnt=PIECES,
    scores=st.lists(st.integers(1, 10_000), unique=True, min_size=18, max_size=18),
    number=st.integers(0, 12),
    words=WORDS,
)
def test_unigram(learnt: list[str], scores: list[int], number: int, words: list[str]) -> None:
    names = [*LETTERS, *learnt]
    scored = {name: round(-1 - score / 1000, 3) for name, score in zip(names, scores, strict=False)}
    old = Tokenizer(models.Unigram([("?", 0.0), *scored.items()], 0))
    old.add_special_tokens(["?"])
    done = make_room(old, number)
    if done is None:
        return
    left = {piece: score for piece, score in pieces(done.tokenizer) if piece in scored}
    assert left == {piece: scored[piece] for piece in left}
    for word in words:
        tokens = check_word(old, done, word)
        if "z" not in word:
            assert "".join(tokens) == word
            assert sum(left[token] for token in tokens) == pytest.approx(likeliest(left, word), abs=1e-9)


@pytest.mark.long
@pytest.mark.parametrize("name", ["bert-base-uncased", "t5-small"])
def test_published(data: Path, corpus: list[str], name: str) -> None:
    """Take some thousand pieces of a real vocabulary away, and look at their words and those of some texts."""
    old = Tokenizer.from_file(str(data / "tokenizers" / name / "tokenizer.json"))
    old.post_processor = None
    bert = name.startswith("bert")
    places = {f"<control_{n}>": -1 - n for n in range(3000)}
    done = reindex(old, places | ({} if bert else {"<unk>": 2}), {"[UNK]": "<unk>"} if bert else {})
    left = dict(pieces(done.tokenizer))
    words = {word for text in corpus for word in text.lower().split()}
    words |= {piece.removeprefix("##").removeprefix("▁") for piece in done.dropped}
    words = {word for word in words if re.fullmatch("[a-z]+", word)}
    resplit = 0
    for word in sorted(words):
        tokens = check_word(old, done, word)
        resplit += None in [done.mapping[i] for i in old.encode(word).ids]
        if bert:
            assert tokens == longest_first(left, word, "<unk>")
        else:
            text = f"▁{word}"
            parts = {text[i:j] for i in range(len(text)) for j in range(i + 1, len(text) + 1)}
            best = likeliest({part: left[part] for part in parts & left.keys()}, text)
            assert "".join(tokens) == text
            assert sum(left[token] for token in tokens) == pytest.approx(best, abs=1e-4)
    assert resplit > 50
