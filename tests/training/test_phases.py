"""Phases of a run: which step has which length, what it reads, and what is told of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from hornbook.objectives import Vocabulary
from hornbook.recipe import Recipe, make_recipe
from hornbook.report.comparison import remarks
from hornbook.report.runs import RunRecord
from hornbook.store import Plan, TokenStore, Windows
from hornbook.training.batches import Batches
from hornbook.training.phases import PlannedPhase, describe_phases, phase_of, plan_phases

PHASES = "training.phases=[{length: 8, share: 0.75, batch: 12}, {length: 32, share: 0.25}]"


def grow(preset: str = "tinystories-1m", objective: Any = "causal", *settings: str) -> Recipe:
    given = {
        "name": "grown",
        "seed": 5,
        "model": {"preset": preset, "length": 32},
        "objective": objective,
        "training": {"steps": 40, "batch": 3},
    }
    return make_recipe(given, [PHASES, *settings])


def numbered(tokens: int) -> TokenStore:
    """Make a store in which every token is its own place, of documents of 100 tokens and sentences of 10."""
    ends = np.arange(100, tokens + 1, 100)
    numbers = np.arange(tokens, dtype=np.uint16)
    return TokenStore(Path(), numbers, ends, np.ones_like(ends), np.arange(0, tokens, 10))


def batches(recipe: Recipe, tokens: int) -> Batches:
    """Batches over such a store."""
    nothing = np.array([], np.int64)
    store = numbered(tokens)
    vocabulary = Vocabulary(tokens, None, None, tokens, None, nothing, nothing, nothing)
    return Batches(store, plan_phases(recipe, store), recipe.objective, vocabulary)


def test_step_n_has_its_phases_length_and_batch() -> None:
    made = batches(grow(), 1000)
    shapes = [tuple(made[step][0]["input_ids"].shape) for step in range(40)]
    assert shapes == [(12, 8)] * 30 + [(3, 32)] * 10
    assert [phase_of(made.phases, step).length for step in (0, 29, 30, 39)] == [8, 8, 32, 32]


def test_step_n_is_the_same_whatever_came_before() -> None:
    """Also between workers of a loader: item n of a new object is item n of one that gave all before it."""
    used = batches(grow(), 1000)
    in_order = [used[step][0]["input_ids"] for step in range(40)]
    for step in (39, 30, 29, 0):
        assert (batches(grow(), 1000)[step][0]["input_ids"] == in_order[step]).all()


@pytest.mark.parametrize("tokens", [500, 5000])
def test_a_phase_begins_an_epoch_of_its_own(tokens: int) -> None:
    """Within each epoch of each phase no token is read twice, and the second phase's first isn't the first's first."""
    made = batches(grow(), tokens)
    for phase, steps in zip(made.phases, (range(30), range(30, 40)), strict=True):
        read = np.concatenate([made[step][0]["input_ids"].numpy() for step in steps])
        for first in range(0, len(read), phase.plan.chunking.count):
            epoch = read[first : first + phase.plan.chunking.count].ravel()
            assert len(np.unique(epoch)) == len(epoch)
    first, second = made.phases
    begun = -(-30 * 12 // (tokens // 8))  # epochs that the first phase began
    assert (first.plan.epoch, second.plan.epoch) == (0, begun)


def test_a_run_without_phases_is_one() -> None:
    """And reads what it did before there were phases: the store's plan from epoch 0."""
    recipe = grow("tinystories-1m", "causal", "training.phases=[]")
    [phase] = plan_phases(recipe, numbered(1000))
    assert (phase.plan.first, phase.last, phase.length, phase.plan.batch) == (0, 40, 32, 3)
    assert phase.plan == Plan(Windows(1000, 32), 3, 5)


@pytest.mark.parametrize("objective", ["masked", "masked_next_sentence", "masked_sentence_order"])
@pytest.mark.parametrize("duplicates", [None, 2])
def test_no_two_steps_share_draws_but_copies_of_one_length(objective: str, duplicates: int | None) -> None:
    """Of every step's every row, a number that would be the same if the stream were: phases differ in length."""
    recipe = grow("bert-tiny", {"name": objective, "duplicates": duplicates})
    phases = plan_phases(recipe, numbered(5000))
    drawn = [
        {
            (int(start), float(number))
            for step in range(phase.plan.first, phase.last)
            for start, number in zip(
                phase.plan.starts(step), phase.plan.rng(step).uniform("x", 1)[:, 0], strict=True
            )
        }
        for phase in phases
    ]
    numbers = [{number for _, number in one} for one in drawn]
    assert not numbers[0] & numbers[1]
    rows = [30 * 12, 10 * 3]
    for phase, one, read in zip(phases, numbers, rows, strict=True):
        assert len(one) == min(read, (duplicates or read) * phase.plan.chunking.count)


def test_copies_go_on_in_a_phase_of_the_same_length() -> None:
    """Where only the batch changes, a place has the numbers in the second phase that it has in the first."""
    given = {"name": "masked", "duplicates": 2}
    changed = "training.phases=[{length: 32, share: 0.5, batch: 166}, {length: 32, share: 0.5, batch: 83}]"
    first, second = plan_phases(grow("bert-tiny", given, changed), numbered(5000))

    def drawn(phase: PlannedPhase, *steps: int) -> dict[int, float]:
        pairs = [(phase.plan.starts(step), phase.plan.rng(step).uniform("x", 1)[:, 0]) for step in steps]
        return {int(place): float(number) for one in pairs for place, number in zip(*one, strict=True)}

    assert first.plan.chunking.count == 166 and second.plan.epoch == 20
    even, odd = drawn(first, 0), drawn(first, 1)  # an epoch of the first phase is a step, of the second two
    assert drawn(second, 20, 21) == even and drawn(second, 22, 23) == odd and even != odd


@pytest.mark.parametrize("objective", ["masked_next_sentence", "masked_sentence_order"])
def test_pairs_grow(objective: str) -> None:
    """Each phase's batches have its length, and their segments are stretches of the documents."""
    recipe = grow("bert-tiny", {"name": objective, "short": 0, "rate": 0.001})
    nothing = np.array([], np.int64)
    store = numbered(5000)
    vocabulary = Vocabulary(
        5004, 5000, 5001, None, 5002, np.arange(5000, 5004), np.arange(5000), nothing, pad=5003
    )
    made = Batches(store, plan_phases(recipe, store), recipe.objective, vocabulary)
    for step, shape in ((29, (12, 8)), (30, (3, 32))):
        [batch] = made[step]
        assert tuple(batch["input_ids"].shape) == shape
        text = np.where(batch["labels"] == -100, batch["input_ids"], batch["labels"])
        for row, kinds, seen in zip(text, batch["token_type_ids"], batch["attention_mask"], strict=True):
            for kind in (0, 1):
                segment = row[(kinds == kind).numpy() & (seen == 1).numpy() & (row < 5000)]
                assert len(segment) and (np.diff(segment) == 1).all()
                assert segment[0] // 100 == segment[-1] // 100 and segment[-1] % 100 < 99  # no end token


@pytest.mark.parametrize(
    ("preset", "objective", "pad", "expected"),
    [
        ("bert-tiny", "masked", 0, [([0, 7], 360), ([0, 31], 30)]),
        ("bert-tiny", "masked_next_sentence", 0, [([0, 7], 360), ([0, 31], 30)]),
        ("roberta-base", "masked", 1, [([2, 9], 360), ([2, 33], 30)]),
        ("robertalbert", "masked", 1, [([0, 7], 360), ([0, 31], 30)]),
        ("tinystories-1m", "causal", 0, [([0, 7], 360), ([0, 31], 30)]),
        ("tinystories-1m", {"name": "causal", "document_mask": True}, 0, [([0, 7], None), ([0, 31], None)]),
        ("pythia-14m", "causal", 0, [(None, None)] * 2),
        ("t5-small", "span_corruption", 0, [(None, None)] * 2),
    ],
)
def test_positions_are_counted(preset: str, objective: Any, pad: int, expected: list[Any]) -> None:
    told = describe_phases(grow(preset, objective), SimpleNamespace(pad_token_id=pad))  # type: ignore[arg-type]
    assert [(one["positions"], one["tokens_per_position"]) for one in told] == expected
    assert [(one["steps"], one["length"], one["batch"]) for one in told] == [(30, 8, 12), (10, 32, 3)]


@pytest.mark.parametrize(
    ("preset", "objective", "sentence"),
    [
        (
            "roberta-base",
            "masked",
            "of its position table, the rows 2 to 9 from 390, 10 to 33 from 30 tokens each, padding counted.",
        ),
        ("t5-small", "span_corruption", "there is no table of them to train."),
        ("tinystories-1m", {"name": "causal", "document_mask": True}, "on how long the documents are."),
    ],
)
def test_the_page_says_what_positions_learned(preset: str, objective: Any, sentence: str) -> None:
    part = {"documents": 1, "bytes": 1, "tokens": 1}
    facts = {
        "name": "grown",
        "family": "f",
        "objective": "o",
        "parameters": 1,
        "length": 32,
        "steps": 40,
        "tokenizer": {"kind": "bpe", "vocab_size": 9, "hash": "h"},
        "corpus": {"name": "c", "fingerprint": "f", "train": part, "heldout": part},
        "phases": describe_phases(grow(preset, objective), SimpleNamespace(pad_token_id=1)),  # type: ignore[arg-type]
    }
    [said, _] = remarks([TypeAdapter(RunRecord).validate_python(facts)])
    assert said.startswith("grown had 30 steps of 8 tokens, then 10 steps of 32 tokens; ") and said.endswith(
        sentence
    )
