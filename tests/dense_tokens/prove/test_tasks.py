"""Tasks against permutations applied one by one."""

from itertools import permutations

import numpy as np
import pytest

from hornbook.dense_tokens.prove.tasks import TASKS, Cups, Pointers, WordProblem
from hornbook.rng import CounterRNG


def test_products() -> None:
    task = WordProblem(5, 8, 1)
    questions = task.draw(CounterRNG(0, 0, np.arange(50)), 8)
    for row in range(50):
        things = list(range(5))
        for step in range(8):
            element = task.elements[questions.words[row, step]]
            things = [element[thing] for thing in things]
            assert task.elements[questions.states[row, step]] == tuple(things)
    assert questions.words.shape == (50, 8) and questions.thoughts == tuple(range(7))


def test_cups() -> None:
    task = Cups(5, 8, 1)
    questions = task.draw(CounterRNG(0, 0, np.arange(50)), 8)
    for row in range(50):
        place, *moves = questions.words[row].tolist()
        for step, move in enumerate(moves):
            place = task.moves[move - 5][place]
            assert questions.states[row, step] == place
    assert questions.words.shape == (50, 9) and questions.thoughts == tuple(range(1, 8))
    reached = {(0, 1, 2, 3, 4)}
    while True:
        more = reached | {tuple(int(move[place]) for place in one) for one in reached for move in task.moves}
        if more == reached:
            break
        reached = more
    assert reached == set(permutations(range(5)))  # the moves generate all of S5


def test_pointers() -> None:
    task = Pointers(8, 6, 1)
    questions = task.draw(CounterRNG(3, 0, np.arange(40)), 5)
    for row in range(40):
        words = questions.words[row].tolist()
        arrows = dict(divmod(word - 8, 8) for word in words[:8])
        assert sorted(arrows) == sorted(arrows.values()) == list(range(8))
        here, seen = words[-1], []
        for _ in range(5):
            here = arrows[here]
            seen.append(here)
        assert questions.states[row].tolist() == seen
        around = [0]
        while (following := arrows[around[-1]]) != 0:
            around.append(following)
        assert len(around) == 8  # one cycle through all
    assert len(np.unique(questions.words[:, -2])) == 1


@pytest.mark.parametrize("name", TASKS)
def test_dense_tokens_stand_between_the_steps(name: str) -> None:
    task = TASKS[name]
    for depth in (1, 2, task.depth, 2 * task.depth):
        questions = task.draw(CounterRNG(0, 0, np.arange(3)), depth)
        ids = questions.ids(task.dense_id)
        assert (ids == task.dense_id).sum(1).tolist() == [depth - 1] * 3
        assert not (ids[:, 0] == task.dense_id).any() and ids.max() < task.size
        assert [
            [one for one in row if one != task.dense_id] for row in ids.tolist()
        ] == questions.words.tolist()
        assert questions.states.shape == (3, depth) and questions.states.max() < task.answers
    words = [task.write(token) for token in range(task.size)]
    assert len(set(words)) == task.size
