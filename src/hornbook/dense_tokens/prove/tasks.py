"""Questions that need a chosen number of sequential steps, and cannot be answered in fewer."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np
import numpy.typing as npt

from hornbook.rng import CounterRNG

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Questions:
    """Questions of one depth, as arrays."""

    words: Ints
    """Ids without dense tokens, shape (B, L); the answer is read at the last place."""
    thoughts: tuple[int, ...]
    """The columns of `words` after which a dense token stands, one for each step but the last: `depth` - 1 of them."""
    states: Ints
    """The state after each step, as ids, shape (B, depth). The last is the answer; the model never sees the others."""

    def ids(self, dense_id: int | None) -> Ints:
        """Return the ids with dense tokens, or without them if `dense_id` is None: shape (B, T)."""
        if dense_id is None:
            return self.words
        return np.insert(self.words, [column + 1 for column in self.thoughts], dense_id, axis=1)


class Task(ABC):
    """A task: its vocabulary, and how to draw questions of any depth."""

    name: str
    title: str
    told: str
    """What the task asks, for a reader of the page."""
    depth: int
    """The greatest depth in training."""
    steps: int
    """Most training steps, the same for all arms."""
    answers: int
    """The number of possible answers; their ids come first."""
    size: int
    """The vocabulary's size; the dense token is the last id."""

    @property
    def dense_id(self) -> int:
        """The dense token's id."""
        return self.size - 1

    @property
    def chance(self) -> float:
        """The share of right answers of a guess that knows the task but not the question."""
        return 1 / self.answers

    @abstractmethod
    def draw(self, rng: CounterRNG, depth: int) -> Questions:
        """Draw a question of `depth` steps for each row of `rng`."""

    @abstractmethod
    def write(self, token: int) -> str:
        """Write an id as text for people."""


class WordProblem(Task):
    """Multiply permutations from left to right."""

    def __init__(self, points: int, depth: int, steps: int) -> None:
        self.points, self.depth, self.steps = points, depth, steps
        self.name = f"s{points}"
        self.title = f"Word problem of S{points}"
        self.answers = len(self.elements)
        self.size = self.answers + 1
        self.told = (
            f"A row of permutations of {points} things; the answer is their product, one of {self.answers}. A question "
            "of depth n has n permutations."
        )

    @cached_property
    def elements(self) -> list[tuple[int, ...]]:
        """The group's elements: where each sends 0, 1, ..."""
        return list(permutations(range(self.points)))

    @cached_property
    def table(self) -> Ints:
        """Products: entry [a, b] does first a, then b."""
        index = {element: number for number, element in enumerate(self.elements)}
        return np.array([[index[tuple(b[i] for i in a)] for b in self.elements] for a in self.elements])

    def draw(self, rng: CounterRNG, depth: int) -> Questions:
        """Draw `depth` elements for each row."""
        words = rng.integers("letters", depth, len(self.elements))
        states = words.copy()
        for step in range(1, depth):
            states[:, step] = self.table[states[:, step - 1], words[:, step]]
        return Questions(words, tuple(range(depth - 1)), states)

    def write(self, token: int) -> str:
        """Write the permuted things in a row."""
        return "⟨dense⟩" if token == self.dense_id else _row(self.elements[token])


class Cups(Task):
    """Follow a thing through permutations: the word problem of the symmetric group, acting on its points.

    For five points the task is complete for NC1, like the product of the permutations. Barrington ("Bounded-width
    polynomial-size branching programs", 1989) computes any formula as a product of permutations of five points, which
    either is the identity or moves all points; and every permutation is a product of the three moves here. So no
    transformer of fixed depth follows a thing through any number of moves, unless TC0 is NC1 (Merrill and Sabharwal,
    2023). With the 120 elements of S5 as answers, the task would take far longer to learn and show no more about depth.
    """

    def __init__(self, points: int, depth: int, steps: int) -> None:
        self.points, self.depth, self.steps = points, depth, steps
        n = range(points)
        self.moves = np.array([(1, 0, *n[2:]), (*n[1:], 0), (n[-1], *n[:-1])])
        self.name = f"s{points}"
        self.title = f"S{points} on {points} points"
        self.answers = points
        self.size = points + len(self.moves) + 1
        self.told = (
            f"Where a thing is among {points} places, then a row of moves that generate S{points}: swap the first two, "
            "or turn all of them one way or the other; the answer is where it ends. A question of depth n has n moves."
        )

    def draw(self, rng: CounterRNG, depth: int) -> Questions:
        """Draw a place and `depth` moves for each row."""
        first = rng.integers("first", 1, self.points)
        moves = rng.integers("moves", depth, len(self.moves))
        states, here = [], first[:, 0]
        for step in range(depth):
            here = self.moves[moves[:, step], here]
            states.append(here)
        words = np.concatenate([first, self.points + moves], 1)
        return Questions(words, tuple(range(1, depth)), np.stack(states, 1))

    def write(self, token: int) -> str:
        """Write a place as a number, and a move as the places where it sends each thing."""
        if token == self.dense_id:
            return "⟨dense⟩"
        return str(token + 1) if token < self.points else _row(self.moves[token - self.points])


class Pointers(Task):
    """Follow arrows: the question shows the arrows of a cycle in random order, their number, and where to begin."""

    def __init__(self, points: int, depth: int, steps: int) -> None:
        self.points, self.depth, self.steps = points, depth, steps
        self.name = "pointers"
        self.title = f"Pointers on a cycle of {points}"
        self.told = (
            f"{points} arrows that form a cycle, in any order, how many to follow, and where to begin; the answer is "
            f"the point that is reached, never that where it began. A question of depth n follows n arrows. Beyond the "
            "trained depth there is no word for their number: only the places to think in tell it, so that models "
            "without them can't know it."
        )
        self.answers = points
        self.arrows = points
        self.counts = self.arrows + points * points
        self.size = self.counts + depth + 2

    @property
    def chance(self) -> float:
        """The first point is never the answer, since no trained depth goes all the way round."""
        return 1 / (self.points - 1)

    def draw(self, rng: CounterRNG, depth: int) -> Questions:
        """Draw a cycle, an order of its arrows and a first point for each row."""
        around = rng.uniform("cycle", self.points).argsort(1)
        following = np.empty_like(around)
        np.put_along_axis(following, around, np.roll(around, -1, 1), 1)
        order = rng.uniform("order", self.points).argsort(1)
        arrows = self.arrows + order * self.points + np.take_along_axis(following, order, 1)
        first = rng.integers("first", 1, self.points)
        # Beyond the trained depths no word gives the number of arrows; only the number of dense tokens does.
        count = np.full_like(first, self.counts + min(depth, self.depth))
        states, here = [], first
        for _ in range(depth):
            here = np.take_along_axis(following, here, 1)
            states.append(here)
        words = np.concatenate([arrows, count, first], 1)
        return Questions(words, (words.shape[1] - 1,) * (depth - 1), np.concatenate(states, 1))

    def write(self, token: int) -> str:
        """Write a point as a letter, and an arrow as two letters."""
        if token == self.dense_id:
            return "⟨dense⟩"
        if token < self.arrows:
            return chr(65 + token)
        if token < self.counts:
            return f"{chr(65 + (token - self.arrows) // self.points)}→{chr(65 + (token - self.arrows) % self.points)}"
        return f"follow {token - self.counts}:"


TASKS: dict[str, Task] = {
    task.name: task for task in (WordProblem(3, 8, 1300), Cups(5, 8, 700), Pointers(8, 6, 900))
}
"""In the order of the page."""


def _row(element: Iterable[int]) -> str:
    """Write where a permutation sends the first, the second, ... thing."""
    return "".join(str(int(place) + 1) for place in element)
