"""Questions in plain words that take one to four steps, for dense_ladder.py.

- ring: "The hat is at one. Right. Swap. Now" -> "two." Moves of a ring of five friends, as in ring_stories.py.
- boxes: "The cup is in the bag. The van is in the box. ... Where in the end is the cup?" -> "the barn". Two chains of
  things, one inside the other, in any order; the answer is where the asked one ends. The names say nothing about size.
- apples: "Ann has 3 apples. She gets 2. She gives away 1. She has" -> "4". Sums can be done in any order, so that
  attention may do all of them at once: here more steps need not be more depth.

A sentence is one word for the model where one layer couldn't join its parts (which needs two: "induction heads", Olsson
et al. 2022). So a question of one step is one look: each of its answers can be learned by heart.

A fifth of the questions is held out, by what has to be worked out: the moves of a ring and where they begin, say, but
not what is moved. One-step questions have too few of these; there the whole text decides.
"""

from abc import abstractmethod
from itertools import permutations
from typing import Any, ClassVar

import numpy as np

from benchmarks.dense_worlds import Ring
from hornbook.dense_tokens.prove.tasks import Ints, Questions, Task
from hornbook.rng import CounterRNG

STEPS = 4
"""The most steps."""
HELD_OUT = 0.2
THINGS = ("cup", "bag", "box", "van", "barn", "hat", "jar", "tent", "boat", "case")
PAIRS = [*permutations(range(len(THINGS)), 2)]
MOST = 10
"""The most apples."""
NAMES = ("Ann", "Eve", "Joy", "Kim", "Liz", "Mia", "Sue", "Zoe")
CHANGES = (-3, -2, -1, 1, 2, 3)


class Ladder(Task):
    """Questions of one kind, all with `count` dense tokens after the last word."""

    depth = STEPS
    told = ""
    words: ClassVar[list[str]]
    """The vocabulary, with the answers first."""

    def __init__(self, count: int = 0, heldout: bool = False) -> None:
        self.count, self.heldout = count, heldout
        self.size = len(self.words) + 1

    @abstractmethod
    def ask(self, rng: CounterRNG, depth: int) -> tuple[Ints, Ints, Ints]:
        """Ask a question a row: its words (B, L), the answer after each step (B, depth), and what is worked out."""

    def draw(self, rng: CounterRNG, depth: int) -> Questions:
        """Draw questions of the task's part, held out or not, each until it falls there."""
        left, drawn = np.arange(len(rng.rows)), list[tuple[Ints, Ints]]()
        rows = np.empty(len(left), np.int64)
        tries = 0
        while len(left):
            one = CounterRNG(rng.seed, f"{rng.step} {tries}" if tries else rng.step, rng.rows[left])
            words, states, worked_out = self.ask(one, depth)
            fits = is_held_out(words if depth == 1 else worked_out) == self.heldout
            rows[left[fits]] = sum(len(part) for part, _ in drawn) + np.arange(fits.sum())
            drawn.append((words[fits], states[fits]))
            left, tries = left[~fits], tries + 1
        words, states = (np.concatenate(part)[rows] for part in zip(*drawn, strict=True))
        return Questions(words, (words.shape[1] - 1,) * self.count, states)

    def test(self, depth: int, most: int) -> Questions:
        """Draw held-out questions, each text once: `most`, or as many as there are."""
        found = type(self)(self.count, heldout=True).draw(CounterRNG(0, "test", np.arange(4 * most)), depth)
        first = np.sort(np.unique(found.words, axis=0, return_index=True)[1])[:most]
        return Questions(found.words[first], found.thoughts, found.states[first])

    def write(self, token: int) -> str:
        """Write a word."""
        return "⟨dense⟩" if token == self.dense_id else self.words[token]


class RingQuestions(Ladder):
    """Where a thing is after moves of a ring of five."""

    name, title, steps, answers = "ring", "Ring of five", 1500, 5
    words: ClassVar = [
        *Ring.places,
        *(move for move, _ in Ring.moves),
        *Ring.things,
        "The",
        "is",
        "at",
        "Now",
    ]

    def ask(self, rng: CounterRNG, depth: int) -> tuple[Ints, Ints, Ints]:
        """Say where it is, then how they move."""
        moved = np.array([to for _, to in Ring.moves])
        place, thing = rng.integers("place", 1, 5), rng.integers("thing", 1, len(Ring.things))
        moves = rng.integers("moves", depth, len(moved))
        states, here = [], place[:, 0]
        for step in range(depth):
            here = moved[moves[:, step], here]
            states.append(here)
        the, is_, at, now = (np.full_like(place, self.words.index(one)) for one in ("The", "is", "at", "Now"))
        first = self.answers + len(moved)
        words = np.concatenate([the, first + thing, is_, at, place, self.answers + moves, now], 1)
        return words, np.stack(states, 1), np.concatenate([place, moves], 1)


class Boxes(Ladder):
    """Where a thing is in the end, of two chains of things that are one in the other."""

    name, title, steps = "boxes", "One in the other", 1500
    answers = len(THINGS)
    words: ClassVar = [
        *(f"the {thing}" for thing in THINGS),
        *(f"The {THINGS[one]} is in the {THINGS[other]}." for one, other in PAIRS),
        *(f"Where in the end is the {thing}?" for thing in THINGS),
    ]

    def ask(self, rng: CounterRNG, depth: int) -> tuple[Ints, Ints, Ints]:
        """Draw two chains, and an order of their sentences."""
        things = rng.uniform("things", self.answers).argsort(1)
        asked, other = things[:, : depth + 1], things[:, depth + 1 : 2 * depth + 2]
        inner = np.concatenate([asked[:, :-1], other[:, :-1]], 1)
        outer = np.concatenate([asked[:, 1:], other[:, 1:]], 1)
        sentences = self.answers + inner * (self.answers - 1) + outer - (outer > inner)
        order = rng.uniform("order", 2 * depth).argsort(1)
        question = self.answers + len(PAIRS) + asked[:, :1]
        words = np.concatenate([np.take_along_axis(sentences, order, 1), question], 1)
        return words, asked[:, 1:], asked


class Apples(Ladder):
    """How many apples somebody has, never fewer than none and never more than ten."""

    name, title, steps, answers = "apples", "Apples", 1500, MOST + 1
    words: ClassVar = [
        *(f"{number}" for number in range(MOST + 1)),
        *(f"{name} has {number} apples." for name in NAMES for number in range(MOST + 1)),
        *(f"She gives away {-one}." if one < 0 else f"She gets {one}." for one in CHANGES),
        "She has",
    ]

    def ask(self, rng: CounterRNG, depth: int) -> tuple[Ints, Ints, Ints]:
        """Draw how many she has, then what she gets and gives, of what leaves her with none to ten."""
        changes, uniform = np.array(CHANGES), rng.uniform("changes", depth)
        first, name = rng.integers("first", 1, self.answers), rng.integers("name", 1, len(NAMES))
        here, states, which = first[:, 0], list[Any](), list[Any]()
        for step in range(depth):
            after = here[:, None] + changes
            can = (after >= 0) & (after <= MOST)
            chosen = (uniform[:, step] * can.sum(1)).astype(np.int64)
            which.append((can.cumsum(1) > chosen[:, None]).argmax(1))
            here = here + changes[which[-1]]
            states.append(here)
        moves = np.stack(which, 1)
        last = np.full_like(first, len(self.words) - 1)
        words = np.concatenate(
            [self.answers * (1 + name) + first, self.answers * (1 + len(NAMES)) + moves, last], 1
        )
        return words, np.stack(states, 1), np.concatenate([first, moves], 1)


KINDS: dict[str, type[Ladder]] = {kind.name: kind for kind in (RingQuestions, Boxes, Apples)}


def is_held_out(ids: Ints) -> Any:
    """Say which rows of ids (B, n) are held out, by their content alone: shape (B,)."""
    code = np.zeros(len(ids), np.int64)
    for column in ids.T:
        code = code * 211 + column + 1  # exact for eight columns; beyond, equal codes only go the same way
    return CounterRNG(0, "held out", code).uniform("drawn", 1)[:, 0] < HELD_OUT
