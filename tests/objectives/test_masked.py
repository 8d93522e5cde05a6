"""Masked language modelling: rates, fates, and what is never touched."""

import numpy as np
import pytest

from hornbook.objectives import IGNORED, Vocabulary
from hornbook.objectives.masked import Masked
from hornbook.rng import CounterRNG

CLS, SEP, MASK, WORDS = 1, 2, 399, np.arange(4, 399)


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(
        400, CLS, SEP, SEP, MASK, np.array([0, CLS, SEP, 3, MASK]), WORDS, np.array([], np.int64), pad=0
    )


@pytest.fixture
def windows() -> np.ndarray:
    text = np.random.default_rng(0).choice(WORDS, (400, 126))
    text[:, 50] = SEP  # a document's end in the middle
    return text


def test_frame_labels_and_fates(vocabulary: Vocabulary, windows: np.ndarray) -> None:
    batch = Masked(short=0).batch(windows, vocabulary, CounterRNG(0, 0, np.arange(400)))
    inputs, labels = batch["input_ids"], batch["labels"]
    assert inputs.shape == labels.shape == (400, 128)
    original = np.concatenate([np.full((400, 1), CLS), windows, np.full((400, 1), SEP)], axis=1)
    chosen = labels != IGNORED
    assert (labels[chosen] == original[chosen]).all()
    assert (inputs[~chosen] == original[~chosen]).all()
    assert not chosen[:, [0, 51, 127]].any()
    words, count = 125 * 400, chosen.sum()
    assert count / words == pytest.approx(0.15, abs=4 * np.sqrt(0.15 * 0.85 / words))
    masked = inputs[chosen] == MASK
    kept = inputs[chosen] == labels[chosen]
    assert masked.mean() == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / count))
    # A random word is now and then the word itself.
    assert kept.mean() == pytest.approx(0.1 + 0.1 / len(WORDS), abs=4 * np.sqrt(0.09 / count))
    strangers = inputs[chosen][~masked & ~kept]
    assert np.isin(strangers, WORDS).all() and len(np.unique(strangers)) > 200


def test_masks_are_drawn_anew_each_step_and_the_same_each_time(
    vocabulary: Vocabulary, windows: np.ndarray
) -> None:
    first, again, later = (
        Masked().batch(windows, vocabulary, CounterRNG(0, step, np.arange(400)))["labels"]
        for step in (0, 0, 1)
    )
    assert (first == again).all() and (first != later).mean() > 0.2


def test_short_examples_end_in_sep_at_any_length(vocabulary: Vocabulary, windows: np.ndarray) -> None:
    windows = np.where(windows == SEP, 4, windows)
    rng = CounterRNG(0, 0, np.arange(400))
    batch = Masked(short=0.5, mask=1, random=0).batch(windows, vocabulary, rng)
    inputs, labels, real = batch["input_ids"], batch["labels"], batch["attention_mask"]
    lengths = real.sum(axis=1)
    short = lengths < 128
    assert short.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(400))
    assert lengths.min() >= 3 and lengths[short].mean() == pytest.approx(65.5, abs=4 * 36 / np.sqrt(200))
    for row, length in enumerate(lengths):
        chosen = labels[row] != IGNORED
        text = np.where(chosen, labels[row], inputs[row])
        assert (text[1 : length - 1] == windows[row, : length - 2]).all()
        assert text[0] == CLS and text[length - 1] == SEP and not chosen[length - 1]
        assert (inputs[row, length:] == 0).all() and not chosen[length:].any()
        assert (real[row] == (np.arange(128) < length)).all()
    bare = Vocabulary(400, CLS, SEP, SEP, MASK, vocabulary.special, WORDS, vocabulary.sentinels)
    assert "no pad token" in Masked().problems(bare, 128)[0] and Masked(short=0).problems(bare, 128) == []


def test_what_is_missing_is_named(vocabulary: Vocabulary) -> None:
    none = Vocabulary(400, None, None, None, None, vocabulary.special, WORDS, vocabulary.sentinels)
    problems = Masked().problems(none, 128)
    assert [
        role for role in ("cls", "sep", "mask") if any(f"no {role} token" in one for one in problems)
    ] == [
        "cls",
        "sep",
        "mask",
    ]
    assert "0.95" in Masked(mask=0.95, random=0.1).problems(vocabulary, 128)[0]
