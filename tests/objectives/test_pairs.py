"""Pairs of segments: on documents whose tokens all differ, every property can be read from the batch alone."""

import numpy as np
import pytest
import torch

from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.objectives import IGNORED, Vocabulary
from hornbook.objectives.masked_next_sentence import MaskedNextSentence
from hornbook.objectives.masked_sentence_order import MaskedSentenceOrder
from hornbook.objectives.pairs import Pairs
from hornbook.rng import CounterRNG
from hornbook.store import TokenStore

PAD, CLS, SEP, MASK, FIRST = 0, 1, 2, 3, 4


def make_store(lengths: list[int], seed: int = 0) -> tuple[TokenStore, Vocabulary]:
    """Make documents of tokens FIRST, FIRST + 1, ... none of them twice, cut into sentences of 1 to 9 tokens."""
    random = np.random.default_rng(seed)
    tokens: list[int] = []
    ends, sentences = [], []
    for length in lengths:
        begin = len(tokens)
        chunking = np.cumsum(random.integers(1, 10, length + 1))
        sentences += [begin, *(begin + chunking[chunking < length]).tolist()]
        tokens += [*range(FIRST + begin, FIRST + begin + length), SEP]
        ends.append(len(tokens))
    size = FIRST + len(tokens)
    vocabulary = Vocabulary(
        *(size, CLS, SEP, SEP, MASK, np.arange(4), np.arange(4, size), np.array([], np.int64), PAD)
    )
    store = TokenStore(
        None, np.array(tokens, np.uint32), np.array(ends), np.zeros(len(ends)), np.array(sentences)
    )
    return store, vocabulary


def read(objective: Pairs, length: int, lengths: list[int], epochs: int = 1, seed: int = 0) -> list[dict]:
    """Take whole epochs of pairs apart: A, B (tokens), label, as the model sees them."""
    store, vocabulary = make_store(lengths, seed)
    plan = objective.plan(store, length, objective.chunking(store, length).count, seed)
    pairs = []
    for step in range(epochs):
        batch = objective.read(store, plan.chunking, plan.starts(step), vocabulary, plan.rng(step))
        shape = (plan.batch, length)
        assert all(batch[name].shape == shape for name in ("input_ids", "token_type_ids", "attention_mask"))
        text = np.where(batch["labels"] != IGNORED, batch["labels"], batch["input_ids"])
        for row in range(plan.batch):
            ids, kinds = text[row], batch["token_type_ids"][row]
            real = int(batch["attention_mask"][row].sum())
            assert batch["attention_mask"][row, :real].all()
            assert (ids[real:] == PAD).all() and (kinds[real:] == 0).all()
            assert ids[0] == CLS and ids[real - 1] == SEP
            middle, last = np.flatnonzero(ids[:real] == SEP).tolist()
            assert (kinds[:real] == (np.arange(real) > middle)).all()
            assert (batch["labels"][row][[0, middle, last]] == IGNORED).all()
            a, b = ids[1:middle].tolist(), ids[middle + 1 : last].tolist()
            assert a and b and min(a + b) >= FIRST
            pairs.append({"a": a, "b": b, "label": int(batch[objective.label][row]), "store": store})
    return pairs


def document_of(store: TokenStore, segment: list[int]) -> int:
    """Find a segment's document, and make sure that it is a stretch of that document alone."""
    assert segment == list(range(segment[0], segment[0] + len(segment)))
    first, last = (
        np.searchsorted(store.ends, token - FIRST, side="right") for token in (segment[0], segment[-1])
    )
    assert first == last and segment[-1] - FIRST < store.ends[first] - 1
    return int(first)


def half(labels: list[int]) -> bool:
    return abs(np.mean(labels) - 0.5) < 4 * np.sqrt(0.25 / len(labels))


LENGTHS = [3, 200, 2, 1, 57, 0, 24, 90, 400, 2, 33]


@pytest.mark.parametrize("length", [5, 16, 64])
def test_half_of_the_segments_are_truly_next_and_half_from_another_document(length: int) -> None:
    pairs = read(MaskedNextSentence(), length, LENGTHS, epochs=40 if length == 64 else 8)
    assert half([pair["label"] for pair in pairs])
    others = []
    for pair in pairs:
        a, b, store = pair["a"], pair["b"], pair["store"]
        assert len(a) + len(b) <= length - 3
        if pair["label"] == 0:
            assert b[0] == a[-1] + 1 and document_of(store, a + b) >= 0
        else:
            assert document_of(store, a) != document_of(store, b)
            assert b[0] - FIRST in store.sentences
            others.append(document_of(store, b))
    # Every document that can be another one is, each about as often.
    times = np.bincount(others, minlength=len(LENGTHS))
    assert (times[[3, 5]] == 0).all() and (np.delete(times, [3, 5]) > 0).all()


@pytest.mark.parametrize("length", [5, 16, 64])
def test_half_of_the_segments_are_swapped(length: int) -> None:
    pairs = read(MaskedSentenceOrder(), length, LENGTHS, epochs=40 if length == 64 else 8)
    assert half([pair["label"] for pair in pairs])
    for pair in pairs:
        a, b = (pair["b"], pair["a"]) if pair["label"] else (pair["a"], pair["b"])
        assert b[0] == a[-1] + 1 and document_of(pair["store"], a + b) >= 0


def test_an_epoch_begins_with_every_document_and_misses_little() -> None:
    for short, most in ((0.0, 0.1), (0.1, 0.2)):
        pairs = read(MaskedSentenceOrder(short=short), 64, LENGTHS)
        seen = {token for pair in pairs for token in pair["a"] + pair["b"]}
        store, _ = make_store(LENGTHS)
        for document, length in enumerate(LENGTHS):
            begin = int(store.ends[document]) - 1 - length
            assert length < 2 or FIRST + begin in seen
        assert len(seen) > (1 - most) * sum(LENGTHS)


def test_segments_are_of_sentences_and_every_divide_is_as_likely() -> None:
    """One document of one stretch: sentences begin at 3, 7 and 8, so A has 3, 7 or 8 tokens, each a third."""
    store, vocabulary = make_store([12])
    store = TokenStore(store.folder, store.tokens, store.ends, store.bytes, np.array([0, 3, 7, 8]))
    objective = MaskedSentenceOrder(short=0)
    starts = np.zeros(3000, np.int64)
    first, second, swapped = objective.segments(
        store, objective.chunking(store, 15), starts, CounterRNG(0, 0, np.arange(3000))
    )
    lengths = np.where(swapped, second.lengths, first.lengths)
    sizes, times = np.unique(lengths, return_counts=True)
    assert sizes.tolist() == [3, 7, 8]
    assert np.abs(times / 3000 - 1 / 3).max() < 4 * np.sqrt(2 / 9 / 3000)


def test_a_tenth_is_short_of_every_length_alike() -> None:
    pairs = read(MaskedSentenceOrder(), 35, [2000] * 30, epochs=4)
    sizes = np.array([len(pair["a"]) + len(pair["b"]) for pair in pairs])
    # Of 2 to 32 tokens one in 31 is full all the same. The last pair of a document is short without being drawn so.
    below = sizes < 32
    share = 0.1 * 30 / 31
    last = 2 / (2000 / 32)
    assert (
        share - 4 * np.sqrt(share / len(sizes))
        < below.mean()
        < share + last + 4 * np.sqrt(share / len(sizes))
    )
    assert set(range(2, 32)) <= set(sizes.tolist())


def test_pairs_are_of_their_place_alone_and_copies_repeat_them() -> None:
    store, vocabulary = make_store(LENGTHS)
    objective = MaskedNextSentence()
    plan = objective.plan(store, 32, 12, 5)
    rows = np.array([2, 7])

    def batch(step: int, rows: np.ndarray | None = None) -> dict[str, np.ndarray]:
        return objective.read(store, plan.chunking, plan.starts(step, rows), vocabulary, plan.rng(step, rows))

    some, every = batch(3, rows), batch(3)
    assert all((some[name] == every[name][rows]).all() for name in every)
    count = plan.chunking.count
    copied = MaskedNextSentence(duplicates=2).plan(store, 32, count, 5)
    assert copied.copies == 2 and {int(start) for start in copied.starts(0)} == {
        int(start) for start in copied.starts(5)
    }


def test_what_cannot_be_paired_is_told() -> None:
    one, vocabulary = make_store([50, 1, 1])
    with pytest.raises(
        HornbookError, match=r"from another document.*has 1 of at least two.*corpus\.documents"
    ):
        MaskedNextSentence().chunking(one, 32)
    assert MaskedSentenceOrder().chunking(one, 32).count == 2
    with pytest.raises(HornbookError, match="a part of the corpus has no document of two tokens"):
        MaskedSentenceOrder().chunking(make_store([1, 1])[0], 32)
    assert "at least 5" in MaskedNextSentence().problems(vocabulary, 4)[0]
    bare = Vocabulary(9, CLS, SEP, SEP, MASK, np.arange(4), np.arange(4, 9), np.array([], np.int64))
    assert "no pad token" in MaskedNextSentence().problems(bare, 16)[0]


def test_a_family_without_a_head_for_pairs_says_so() -> None:
    family = find("roberta-base")
    with pytest.raises(HornbookError, match="roberta has no head for pairs; it serves: masked"):
        family.pair_logits(torch.nn.Module(), torch.zeros(1, 1, 1))
