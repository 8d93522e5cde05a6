"""Span corruption, against a plain port of the published rule, one example at a time."""

from collections import Counter
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, ks_2samp

from hornbook.objectives import Vocabulary
from hornbook.objectives.span_corruption import SpanCorruption
from hornbook.rng import CounterRNG

EOS, SENTINELS = 1, np.arange(299, 199, -1)


@pytest.fixture
def vocabulary() -> Vocabulary:
    words = np.arange(3, 200)
    return Vocabulary(300, None, None, EOS, None, np.union1d([0, EOS, 2], SENTINELS), words, SENTINELS)


def published_lengths(inputs_length: int, density: float, mean: float) -> tuple[int, int]:
    """T5's rule for how long a text fills an input: (tokens of text, length of the target)."""

    def lengths(tokens: int) -> tuple[int, int]:
        noise = round(tokens * density)
        spans = round(noise / mean)
        return tokens - noise + spans + 1, noise + spans + 1

    tokens = inputs_length
    while lengths(tokens + 1)[0] <= inputs_length:
        tokens += 1
    return tokens, lengths(tokens)[1]


def published_mask(length: int, density: float, mean: float, random: np.random.Generator) -> np.ndarray:
    """T5's rule for which tokens are cut, with its random segmentation done by a shuffle."""
    noise = min(max(int(np.round(length * density)), 1), length - 1)
    spans = max(int(np.round(noise / mean)), 1)

    def segment(items: int, segments: int) -> np.ndarray:
        first = np.arange(items - 1) < segments - 1
        random.shuffle(first)
        return np.unique(np.cumsum(np.concatenate([[0], first])), return_counts=True)[1]

    pieces = []
    for kept, lost in zip(segment(length - noise, spans), segment(noise, spans), strict=True):
        pieces += [np.zeros(kept, bool), np.ones(lost, bool)]
    return np.concatenate(pieces)


@pytest.mark.parametrize("length", [32, 100, 114, 128, 256, 512, 1024])
@pytest.mark.parametrize(("density", "mean"), [(0.15, 3.0), (0.15, 10.0), (0.5, 3.0), (0.3, 2.0)])
def test_lengths_are_the_published_ones(length: int, density: float, mean: float) -> None:
    if round(length * density) / mean <= 0.5:
        pytest.skip("no whole span: the published rule for lengths says 0 spans, its rule for masks 1")
    objective = SpanCorruption(density=density, mean_span=mean)
    window = objective.window(length)
    assert (window, objective.lengths(window)[1]) == published_lengths(length, density, mean)


def test_512_is_568_tokens_and_a_target_of_114() -> None:
    objective = SpanCorruption()
    assert objective.window(512) == 568
    assert objective.lengths(568) == (512, 114)


def test_masks_have_the_published_distribution() -> None:
    """Small enough to list every mask: counts of all of them agree between the two."""
    objective = SpanCorruption(density=0.4, mean_span=2.0)
    number = 20_000
    mine = Counter(map(tuple, objective.cut(10, CounterRNG(0, 0, np.arange(number))).tolist()))
    random = np.random.default_rng(0)
    theirs = Counter(tuple(published_mask(10, 0.4, 2.0, random).tolist()) for _ in range(number))
    assert set(mine) == set(theirs)
    assert chisquare(list(mine.values())).pvalue > 1e-3  # all equally likely, as both rules say
    assert chisquare(list(theirs.values())).pvalue > 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_spans_and_positions_at_full_length(seed: int) -> None:
    objective = SpanCorruption()
    masks = objective.cut(568, CounterRNG(seed, 0, np.arange(3000)))
    starts = masks & ~np.pad(masks, ((0, 0), (1, 0)))[:, :-1]
    assert (masks.sum(1) == 85).all() and (starts.sum(1) == 28).all()
    random = np.random.default_rng(seed)
    theirs = np.stack([published_mask(568, 0.15, 3.0, random) for _ in range(3000)])
    rate, their_rate = masks.mean(0), theirs.mean(0)
    error = np.sqrt((rate * (1 - rate) + their_rate * (1 - their_rate)) / 3000) + 1e-9
    assert (((rate - their_rate) / error) ** 2).mean() < 1.35


@pytest.mark.parametrize("seed", range(5))
def test_parts_have_the_exact_distribution(seed: int) -> None:
    """A part's length is known in closed form, for all ways to split n tokens into s parts are equally likely: it is
    k in C(n - k - 1, s - 2) of C(n - 1, s - 1). Six chi-square tests a seed at 1e-5: a right rule fails in 1 of 3,000
    choices of the seeds."""
    lost, spans, rows = 85, 28, 4000
    masks = SpanCorruption().cut(568, CounterRNG(seed, 0, np.arange(rows)))
    edges = np.diff(np.pad(masks, ((0, 0), (0, 1)), constant_values=False).astype(int), axis=1) != 0
    ends = np.nonzero(edges)[1].reshape(rows, 2 * spans) + 1
    lengths = np.diff(np.pad(ends, ((0, 0), (1, 0))), axis=1)
    for part in (0, 1, 27, 28, 54, 55):  # kept and lost ones: the first, in the middle, the last
        items = lost if part % 2 else 568 - lost
        ways = np.array([comb(items - k - 1, spans - 2) for k in range(1, items - spans + 2)], float)
        expected = ways / ways.sum() * rows
        cut = int((expected >= 5).sum())  # what is rarer is counted together
        found = np.bincount(np.minimum(lengths[:, part], cut + 1), minlength=cut + 2)[1:]
        pooled = np.append(expected[:cut], expected[cut:].sum())
        assert chisquare(found, pooled).pvalue > 1e-5


@pytest.mark.parametrize("seed", range(3))
def test_spans_begin_where_the_published_ones_do(seed: int) -> None:
    """Two-sample Kolmogorov-Smirnov tests of where the first, a middle and the last span begin, one draw a row. At
    1e-4 each, nine in all, a right rule fails in less than 1 of 1,000 choices of the seeds."""
    masks = SpanCorruption().cut(568, CounterRNG(seed, 7, np.arange(2000)))
    random = np.random.default_rng(100 + seed)
    theirs = np.stack([published_mask(568, 0.15, 3.0, random) for _ in range(2000)])

    def begins(cut: np.ndarray) -> np.ndarray:
        first = cut & ~np.pad(cut, ((0, 0), (1, 0)))[:, :-1]
        return np.nonzero(first)[1].reshape(len(cut), 28)

    for span in (0, 13, 27):
        assert ks_2samp(begins(masks)[:, span], begins(theirs)[:, span]).pvalue > 1e-4


@given(st.integers(4, 400), st.floats(0.01, 0.9), st.floats(1, 100))
def test_the_window_is_the_longest_that_fits(length: int, density: float, mean: float) -> None:
    """Spans of a single token too, whose sentinels save no room: there a text is shorter than its input."""
    for objective in (SpanCorruption(density=density, mean_span=mean), SpanCorruption(mean_span=1)):
        window = objective.window(length)
        assert length - 1 <= objective.lengths(window)[0] <= length < objective.lengths(window + 1)[0]


def test_batch_is_the_text_cut_up(vocabulary: Vocabulary) -> None:
    """Undo the corruption by hand: input and target together give the text back."""
    objective = SpanCorruption()
    window = objective.window(64)
    windows = np.random.default_rng(0).integers(3, 200, (50, window))
    batch = objective.batch(windows, vocabulary, CounterRNG(0, 5, np.arange(50)))
    assert batch["input_ids"].shape == (50, objective.lengths(window)[0])
    assert batch["labels"].shape == (50, objective.lengths(window)[1])
    for text, inputs, target in zip(
        windows.tolist(), batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True
    ):
        assert inputs[-1] == EOS and target[-1] == EOS
        spans: list[list[int]] = []
        for token in target[:-1]:
            if token == SENTINELS[len(spans)]:
                spans.append([])
            else:
                spans[-1].append(token)
        rebuilt: list[int] = []
        seen = 0
        for token in inputs[:-1]:
            if token == SENTINELS[seen]:
                rebuilt += spans[seen]
                seen += 1
            else:
                rebuilt.append(token)
        assert rebuilt == text and seen == len(spans)


def test_too_few_sentinels_are_told_before_training(vocabulary: Vocabulary) -> None:
    few = Vocabulary(300, None, None, EOS, None, vocabulary.special, vocabulary.words, SENTINELS[:10])
    [problem] = SpanCorruption().problems(few, 512)
    assert "28 spans" in problem and "10 sentinels" in problem and "tokenizer.sentinels" in problem
    assert SpanCorruption().problems(vocabulary, 512) == []
