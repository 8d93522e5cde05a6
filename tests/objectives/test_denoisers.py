"""UL2's mixture of denoisers, undone by hand one example at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import chisquare
from transformers import PreTrainedTokenizerFast

from hornbook.objectives import IGNORED, Vocabulary
from hornbook.objectives.denoisers import PUBLISHED, Denoiser, Denoisers
from hornbook.rng import CounterRNG

EOS, SENTINELS = 1, np.arange(429, 299, -1)
MODES = {"[NLU]": 290, "[NLG]": 291, "[S2S]": 292}
# Table 1 of the paper: kind, mode token of the published model, mean span, density.
TABLE = [
    ("R", "[NLU]", 3, 0.15),
    ("R", "[NLU]", 8, 0.15),
    ("S", "[S2S]", None, 0.25),
    ("X", "[NLG]", 3, 0.5),
    ("X", "[NLG]", 8, 0.5),
    ("X", "[NLG]", 64, 0.15),
    ("X", "[NLG]", 64, 0.5),
]
FORMS = ["encoder-decoder", "decoder-only"]


@pytest.fixture
def vocabulary() -> Vocabulary:
    special = np.union1d([0, EOS, 2, *MODES.values()], SENTINELS)
    return Vocabulary(430, None, None, EOS, None, special, np.arange(3, 290), SENTINELS, named=MODES)


def undo(source: list[int], target: list[int]) -> tuple[list[int], list[list[int]]]:
    """Put the spans of a target back into a source, both without mode and EOS: the text, and the spans."""
    spans: list[list[int]] = []
    for token in target:
        if len(spans) < len(SENTINELS) and token == SENTINELS[len(spans)]:
            spans.append([])
        else:
            spans[-1].append(token)
    text: list[int] = []
    seen = 0
    for token in source:
        if token == SENTINELS[seen]:
            text += spans[seen]
            seen += 1
        else:
            text.append(token)
    assert seen == len(spans)
    return text, spans


def parts(inputs: list[int], labels: list[int], form: str) -> tuple[int, list[int], list[int]]:
    """Take an example apart: mode token, source and target, the last two without EOS."""
    learned = [label for label in labels if label != IGNORED]
    assert learned[-1] == EOS
    if form == "encoder-decoder":
        assert inputs[-1] == EOS  # no padding: every input is full
        assert labels == learned + [IGNORED] * (len(labels) - len(learned))
        return inputs[0], inputs[1:-1], learned[:-1]
    border = next(place for place, label in enumerate(labels) if label != IGNORED)
    end = border + len(learned)
    assert len(labels) == len(inputs) and labels[border:end] == inputs[border:end] == learned
    assert labels[end:] == [IGNORED] * (len(labels) - end) and len(labels) - end <= 2
    return inputs[0], inputs[1:border], learned[:-1]


def test_the_default_is_the_papers_table() -> None:
    assert [(one.kind, one.token, one.mean_span, one.density) for one in Denoisers().mixture] == TABLE
    assert {one.weight for one in Denoisers().mixture} == {1.0}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", range(len(TABLE)))
def test_each_kind_is_its_rule(number: int, form: str, vocabulary: Vocabulary) -> None:
    kind, mode, mean, density = TABLE[number]
    objective = Denoisers(form=form, mixture=(PUBLISHED[number],))
    windows = np.random.default_rng(0).integers(3, 290, (20, objective.window(512)))
    batch = objective.batch(windows, vocabulary, CounterRNG(0, 3, np.arange(20)))
    assert 510 <= batch["input_ids"].shape[1] <= 512
    layouts = set()
    for text, inputs, labels in zip(windows, batch["input_ids"], batch["labels"], strict=True):
        found, source, target = parts(inputs.tolist(), labels.tolist(), form)
        rebuilt, spans = undo(source, target)
        assert found == MODES[mode] and rebuilt == text.tolist()
        assert sum(map(len, spans)) == round(len(text) * density)
        if kind == "S":  # one span, at the end: what comes before it is a prefix
            assert source == [*text[: len(text) - len(spans[0])], SENTINELS[0]]
            assert len(spans) == 1
        else:
            assert mean is not None and len(spans) == max(round(round(len(text) * density) / mean), 1)
        layouts.add(tuple(map(len, spans)))
    if mean in (3, 8):
        assert len(layouts) == 20  # another cut for each


@pytest.mark.parametrize("form", FORMS)
def test_a_mixed_batch_is_its_rows(form: str, vocabulary: Vocabulary) -> None:
    """Each row takes its denoiser's text from its window; any of the rows alone are the same."""
    objective = Denoisers(form=form, mixture=(*PUBLISHED[:3], PUBLISHED[6]))
    windows = np.random.default_rng(0).integers(3, 290, (60, objective.window(128)))
    rows = np.arange(60)
    batch = objective.batch(windows, vocabulary, CounterRNG(0, 3, rows))
    kinds = objective.choose(CounterRNG(0, 3, rows))
    assert set(kinds.tolist()) == {0, 1, 2, 3}
    for row in range(60):
        mode, source, target = parts(batch["input_ids"][row].tolist(), batch["labels"][row].tolist(), form)
        rebuilt, _ = undo(source, target)
        assert mode == MODES[objective.mixture[kinds[row]].token]
        assert rebuilt == windows[row, : len(rebuilt)].tolist() and len(rebuilt) > 60
    some = np.array([7, 30, 59])
    part = objective.batch(windows[some], vocabulary, CounterRNG(0, 3, some))
    assert all((part[name] == batch[name][some]).all() for name in batch)


def test_denoisers_are_drawn_by_weight() -> None:
    """A chi-square test for each of 5 seeds at 1e-4: a right rule fails once in 2,000 choices of seeds."""
    weights = [1, 2, 0.5, 4]
    mixture = tuple(Denoiser(kind="S", density=0.5, weight=weight) for weight in weights)
    expected = np.array(weights) / sum(weights) * 20_000
    for seed in range(5):
        kinds = Denoisers(mixture=mixture).choose(CounterRNG(seed, 9, np.arange(20_000)))
        assert chisquare(np.bincount(kinds, minlength=4), expected).pvalue > 1e-4
    later = Denoisers(mixture=mixture).choose(CounterRNG(4, 10, np.arange(20_000)))
    assert (later != kinds).mean() > 0.5


@settings(max_examples=60)
@given(
    st.integers(8, 300),
    st.lists(st.tuples(st.floats(0.02, 0.9), st.floats(1, 80)), min_size=1, max_size=3),
    st.sampled_from(FORMS),
)
def test_every_length_is_filled(length: int, options: list[tuple[float, float]], form: str) -> None:
    """Whatever the mixture: encoders' inputs have at most one place of padding, which is hidden, decoders' two."""
    mixture = tuple(Denoiser(kind="X", density=density, mean_span=mean) for density, mean in options)
    objective = Denoisers(form=form, mixture=mixture)
    sentinels = np.arange(2000, 1000, -1)
    vocabulary = Vocabulary(2001, None, None, EOS, None, sentinels, np.arange(3, 99), sentinels, named=MODES)
    windows = np.random.default_rng(0).integers(3, 99, (8, objective.window(length)))
    batch = objective.batch(windows, vocabulary, CounterRNG(0, 0, np.arange(8)))
    assert length - (2 if form == "decoder-only" else 1) <= batch["input_ids"].shape[1] <= length
    mask = batch.get("attention_mask", np.ones_like(batch["input_ids"]))
    for inputs, seen, labels in zip(batch["input_ids"], mask, batch["labels"], strict=True):
        if form == "encoder-decoder":
            places = int(seen.sum())
            assert length - 1 <= places and seen[:places].all()
            assert (inputs[:places] == EOS).sum() == 1 and inputs[places - 1] == EOS
        else:
            assert 1 <= (inputs == EOS).sum() <= 3 and (labels == EOS).sum() == 1


def test_what_is_missing_is_told_before_training(vocabulary: Vocabulary) -> None:
    few = Vocabulary(430, None, None, EOS, None, vocabulary.special, vocabulary.words, SENTINELS[:10])
    modes, sentinels = Denoisers().problems(few, 512)
    assert "[NLU], [S2S], [NLG]" in modes and "tokenizer.path" in modes
    assert (
        "kind X, density 0.5" in sentinels
        and "10 sentinels" in sentinels
        and "tokenizer.sentinels" in sentinels
    )
    assert "at least 8" in Denoisers().problems(vocabulary, 7)[0]
    # T5's 100 sentinels don't do for the paper's 512 tokens; a new tokenizer gets as many as are needed.
    assert Denoisers().problems(vocabulary, 512) == [] and Denoisers().sentinels(512) == 127
    assert Denoisers().sentinels(128) == 100
    renamed = Denoiser(kind="R", density=0.15, mean_span=3, mode="[S2S]")
    assert Denoisers(mixture=(renamed,)).problems(vocabulary, 128) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kind": "S", "density": 0.25, "mean_span": 3}, "leave mean_span out"),
        ({"kind": "R", "density": 0.15}, "needs mean_span"),
        ({"kind": "R", "density": 1.5, "mean_span": 3}, "less than 1"),
        ({"kind": "R", "density": 0.15, "mean_span": 3, "weight": 0}, "greater than 0"),
    ],
)
def test_a_denoiser_that_means_nothing_is_refused(options: dict[str, float], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Denoiser.model_validate(options)
    with pytest.raises(ValidationError, match="mixture has no denoiser"):
        Denoisers(mixture=())


def test_modes_are_read_from_the_tokenizer_by_name(tokenizer: PreTrainedTokenizerFast) -> None:
    vocabulary = Vocabulary.of(tokenizer)
    assert {vocabulary.named[mode] for mode in MODES} == set(tokenizer.convert_tokens_to_ids(list(MODES)))
    assert not set(vocabulary.words.tolist()) & {vocabulary.named[mode] for mode in MODES}
