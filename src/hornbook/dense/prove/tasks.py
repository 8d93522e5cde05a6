"""Questions that take as many steps after one another as one likes, and cannot be answered in fewer."""

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
    """After which columns of `words` a dense token belongs, one for each step but the last: `depth` - 1 of them."""
    states: Ints
    """What is reached after each step, as ids, shape (B, depth): the last is the answer, and the others are never
    shown to the model."""

    def ids(self, dense_id: int | None) -> Ints:
        """Give the sequences with dense tokens in their places, or, with None, without: shape (B, T)."""
        if dense_id is None:
            return self.words
        return np.insert(self.words, [column + 1 for column in self.thoughts], dense_id, axis=1)


class Task(ABC):
    """A task: its words, and how questions of any depth are drawn."""

    name: str
    title: str
    told: str
    """What it asks, for a reader of the page."""
    depth: int
    """The deepest question that is trained on."""
    steps: int
    """Steps of training at most, the same for all arms."""
    answers: int
    """How many answers there are; their ids come first."""
    size: int
    """Rows of the vocabulary, the dense token's included: it is the last."""

    @property
    def dense_id(self) -> int:
        """The dense token's id."""
        return self.size - 1

    @property
    def chance(self) -> float:
        """How many are right of answers that know the task and nothing of the question."""
        return 1 / self.answers

    @abstractmethod
    def draw(self, rng: CounterRNG, depth: int) -> Questions:
        """Draw a question of `depth` steps for each row of `rng`."""

    @abstractmethod
    def write(self, token: int) -> str:
        """Write a word for people."""


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
        """The group: what each element makes of 0, 1, ..."""
        return list(permutations(range(self.points)))

    @cached_property
    def table(self) -> Ints:
        """Products: entry [a, b] does first a, then b."""
        index = {element: number for number, element in enumerate(self.elements)}
        return np.array([[index[tuple(b[i] for i in a)] for b in self.elements] for a in self.elements])

    def draw(self, rng: CounterRNG, depth: int) -> Questions:
        """Draw `depth` elements a row."""
        words = rng.integers("letters", depth, len(self.elements))
        states = words.copy()
        for step in range(1, depth):
            states[:, step] = self.table[states[:, step - 1], words[:, step]]
        return Questions(words, tuple(range(depth - 1)), states)

    def write(self, token: int) -> str:
        """Write the permuted things in a row."""
        return "⟨dense⟩" if token == self.dense_id else _row(self.elements[token])


class Cups(Task):
    """Follow a thing through permutations: the word problem of the symmetric group where it acts on its points.

    For five points it is complete for NC1, as the product of the permutations is: Barrington ("Bounded-width
    polynomial-size branching programs", 1989) computes any formula as a product of permutations of five points that
    either is the identity or moves them all, and every permutation is a product of the three moves here. So no
    transformer of fixed depth follows a thing through any number of them unless TC0 is NC1 (Merrill and Sabharwal,
    2023). The 120 elements of S5 as answers would say no more about depth and take far longer to learn.
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
        """Draw a place and `depth` moves a row."""
        first = rng.integers("first", 1, self.points)
        moves = rng.integers("moves", depth, len(self.moves))
        states, here = [], first[:, 0]
        for step in range(depth):
            here = self.moves[moves[:, step], here]
            states.append(here)
        words = np.concatenate([first, self.points + moves], 1)
        return Questions(words, tuple(range(1, depth)), np.stack(states, 1))

    def write(self, token: int) -> str:
        """Write a place as a number, a move as where it sends each of them."""
        if token == self.dense_id:
            return "⟨dense⟩"
        return str(token + 1) if token < self.points else _row(self.moves[token - self.points])


class Pointers(Task):
    """Follow arrows: a cycle through some points is shown arrow by arrow in any order, then where to begin."""

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
        """One of the points is out: no trained depth goes all the way round."""
        return 1 / (self.points - 1)

    def draw(self, rng: CounterRNG, depth: int) -> Questions:
        """Draw a cycle, an order of its arrows and a first point a row."""
        around = rng.uniform("cycle", self.points).argsort(1)
        following = np.empty_like(around)
        np.put_along_axis(following, around, np.roll(around, -1, 1), 1)
        order = rng.uniform("order", self.points).argsort(1)
        arrows = self.arrows + order * self.points + np.take_along_axis(following, order, 1)
        first = rng.integers("first", 1, self.points)
        # Beyond what was trained on, there is no word for the number; the places to think in tell it.
        count = np.full_like(first, self.counts + min(depth, self.depth))
        states, here = [], first
        for _ in range(depth):
            here = np.take_along_axis(following, here, 1)
            states.append(here)
        words = np.concatenate([arrows, count, first], 1)
        return Questions(words, (words.shape[1] - 1,) * (depth - 1), np.concatenate(states, 1))

    def write(self, token: int) -> str:
        """Write a point as a letter, an arrow as two."""
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
