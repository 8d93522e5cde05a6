"""The ladder of word questions: read by somebody who knows only the words; and the verdict's rule, branch by branch."""

import re

import numpy as np
import pytest

from benchmarks.dense_ladder import Right, verdict
from benchmarks.ladder_questions import HELD_OUT, KINDS, STEPS
from hornbook.rng import CounterRNG


def solve(kind: str, text: str) -> tuple[str, int]:
    """Answer a question from its words alone, and count the steps that it takes."""
    if kind == "ring":
        ring = re.findall(r"at (\w+\.)", text)
        friends = ["one.", "two.", "three.", "four.", "five."]
        holds = [place == ring[0] for place in friends]
        moves = re.findall(r"Swap|Left|Right", text)
        for move in moves:
            if move == "Swap":
                holds = [holds[1], holds[0], *holds[2:]]
            else:
                holds = [*holds[1:], holds[0]] if move == "Left" else [holds[-1], *holds[:-1]]
        return friends[holds.index(True)], len(moves)
    if kind == "boxes":
        within = dict(re.findall(r"The (\w+) is in the (\w+)\.", text))
        here, steps = re.findall(r"is the (\w+)\?$", text)[0], 0
        while here in within:
            here, steps = within[here], steps + 1
        return f"the {here}", steps
    number, changes = int(re.findall(r"has (\d+)", text)[0]), re.findall(r"(gets|gives away) (\d)", text)
    for verb, much in changes:
        number += int(much) if verb == "gets" else -int(much)
        assert number >= 0
    return str(number), len(changes)


def worked_out(kind: str, text: str) -> str:
    """Leave out of a question what makes it no harder: what is moved, the other chain, the order."""
    if kind != "boxes":
        return re.split(" at | has ", text, maxsplit=1)[1]
    within = dict(re.findall(r"The (\w+) is in the (\w+)\.", text))
    chain = re.findall(r"is the (\w+)\?$", text)
    while chain[-1] in within:
        chain.append(within[chain[-1]])
    return " ".join(chain)


def texts(kind: str, asked) -> list[str]:
    task = KINDS[kind]()
    return [" ".join(task.write(token) for token in one) for one in asked.words]


@pytest.mark.parametrize("steps", range(1, STEPS + 1))
@pytest.mark.parametrize("kind", KINDS)
def test_answers_follow_from_the_words(kind: str, steps: int) -> None:
    task = KINDS[kind](3)
    asked = task.draw(CounterRNG(4, 2, np.arange(200)), steps)
    answers = [task.write(token) for token in asked.states[:, -1]]
    assert [solve(kind, text) for text in texts(kind, asked)] == [(answer, steps) for answer in answers]
    assert asked.states.max() < task.answers and asked.words.max() < task.dense_id
    assert len(set(answers)) >= min(5, task.answers)
    # The same three dense tokens at every depth, all after the last word.
    assert (asked.ids(task.dense_id)[:, -3:] == task.dense_id).all()
    assert asked.ids(task.dense_id).shape[1] == asked.words.shape[1] + 3


@pytest.mark.parametrize("steps", range(1, STEPS + 1))
@pytest.mark.parametrize("kind", KINDS)
def test_no_training_asks_a_question_of_the_test(kind: str, steps: int) -> None:
    """Nor, from two steps on, one that has the same to be worked out, such as the moves of another thing."""
    tested = texts(kind, KINDS[kind]().test(steps, 200))
    learned = texts(kind, KINDS[kind]().draw(CounterRNG(0, 7, np.arange(6000)), steps))
    assert len(set(tested)) == len(tested) and not set(tested) & set(learned)
    if steps > 1:
        found = [{worked_out(kind, text) for text in part} for part in (tested, learned)]
        assert found[0] and not found[0] & found[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fifth_is_held_out(kind: str) -> None:
    """Of the three-step questions that there are, by counting those which both parts draw."""
    many = CounterRNG(0, 3, np.arange(3000))
    kept, out = (texts(kind, KINDS[kind](0, heldout).draw(many, 3)) for heldout in (False, True))
    if kind != "boxes":  # which has too many to be counted
        few, most = sorted(len({worked_out(kind, text) for text in part}) for part in (kept, out))
        assert few / (few + most) == pytest.approx(HELD_OUT, abs=0.1)
    assert kept == texts(kind, KINDS[kind]().draw(many, 3))


@pytest.mark.parametrize("kind", ["ring", "apples"])
def test_a_question_of_one_step_is_one_that_training_asks_of_another_thing(kind: str) -> None:
    """So that it can be known by heart."""
    learned = {
        worked_out(kind, text)
        for text in texts(kind, KINDS[kind]().draw(CounterRNG(0, 7, np.arange(6000)), 1))
    }
    assert {worked_out(kind, text) for text in texts(kind, KINDS[kind]().test(1, 200))} <= learned


def test_things_of_both_chains_could_be_the_answer() -> None:
    """Else whoever looks for what is in nothing would know it without following."""
    for text in texts("boxes", KINDS["boxes"]().test(4, 50)):
        inner, outer = (
            set(found) for found in zip(*re.findall(r"The (\w+) is in the (\w+)", text), strict=True)
        )
        assert len(outer - inner) == 2 == len(inner - outer)


def made(*shares: float, seeds: int = 5, spread: float = 0.0) -> Right:
    """Make up which of 1,000 answers are right, by shares; the seeds' shares lie `spread` apart."""
    middle = (seeds - 1) / 2
    return {
        steps: np.array(
            [
                np.arange(1000) < 1000 * (share + (seed - middle) * spread * (steps == STEPS))
                for seed in range(seeds)
            ]
        )
        for steps, share in enumerate(shares, 1)
    }


PLAIN, PAUSE = made(0.99, 0.7, 0.5, 0.40), made(0.98, 0.7, 0.5, 0.45)


@pytest.mark.parametrize(
    ("dense", "said"),
    [
        (
            made(0.99, 0.9, 0.8, 0.75),
            r"^the gain grows with depth: \+30\.0 .* over pause at 4 steps, \+0\.0 .* over plain",
        ),
        (
            made(1.00, 0.7, 0.5, 0.44),
            r"^refused: at 4 steps the gain over pause is -1\.0 .*; from one step to 4 .* -2\.0",
        ),
        (
            made(0.96, 0.9, 0.8, 0.75),
            r"^refused: at one step the gain over plain is -3\.0 .* points, and 2 are allowed$",
        ),
        (made(0.99, 0.9, 0.8, 0.55, spread=0.1), r"^refused: at 4 steps the gain over pause is \+10\.0 \[-"),
        (made(0.99, 0.9, 0.8, 0.75, seeds=2), "^refused: there are 2 seeds, and the rule takes 3$"),
    ],
)
def test_the_verdict(dense: Right, said: str) -> None:
    seeds = len(dense[1])
    plain, pause = ({steps: one[:seeds] for steps, one in right.items()} for right in (PLAIN, PAUSE))
    assert re.search(said, verdict(dense, plain, pause))


def test_a_gain_that_is_there_at_one_step_already_is_refused() -> None:
    """Both gains are 9 points: more steps have nothing to do with it."""
    plain = made(0.90, 0.5, 0.5, 0.50)
    found = verdict(made(0.99, 0.6, 0.6, 0.59), plain, plain)
    assert found.startswith("refused: from one step to 4 the gain grows by +0.0 [")
    assert "at one step the gain over plain is +9.0" in found


@pytest.mark.parametrize("gain", [0.019, 0.021])
def test_two_points_at_one_step_are_the_limit(gain: float) -> None:
    plain = made(0.9, 0.5, 0.5, 0.5)
    assert verdict(made(0.9 + gain, 0.6, 0.7, 0.8), plain, plain).startswith("refused") == (gain > 0.02)
