"""Stories on a ring, retold with people who really move."""

import math
import random

import pytest

from benchmarks.ring_stories import PLACES, question, story


def replay(text: str) -> int:
    """Follow the friends by their moves alone; gives how many places were told, all of them rightly."""
    first, *sentences = text.rstrip(".").split(". ")
    ring = [place == first.split()[-1] for place in PLACES]
    assert sum(ring) == 1
    told = 0
    for sentence in sentences:
        if sentence == "Left":
            ring = ring[1:] + ring[:1]
        elif sentence == "Right":
            ring = ring[-1:] + ring[:-1]
        elif sentence == "Swap":
            ring[:2] = ring[1::-1]
        else:
            assert sentence.split() == ["Now", PLACES[ring.index(True)]]
            told += 1
    assert sentences[-1].startswith("Now")
    return told


def test_what_is_told_is_where_it_is() -> None:
    draw = random.Random(0)
    for _ in range(200):
        text, _, followed = story(draw)
        assert followed == pytest.approx(replay(text) * math.log2(5))


def test_questions_end_as_the_story_would() -> None:
    draw = random.Random(2)
    for _ in range(200):
        asked = question(draw)
        assert replay(f"{asked['question']} {asked['answer']}") == 1


def test_stories_are_some_shallow_and_some_deep() -> None:
    draw = random.Random(1)
    texts = [story(draw)[0] for _ in range(300)]
    runs = [sum(move in part for move in ("Left", "Right", "Swap")) for part in texts]
    assert all(runs)
    deepest = [max(part.count(".") for part in text.split("Now")) for text in texts]
    assert min(deepest) <= 5 and max(deepest) >= 13
