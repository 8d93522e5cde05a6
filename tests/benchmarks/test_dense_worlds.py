"""Texts of small worlds: what is told is how things stand, whoever follows the words alone."""

import re

import numpy as np
import pytest

from benchmarks.dense_worlds import TOLD, WORLDS, Ring, World
from hornbook.rng import CounterRNG


def follow(world: str, words: list[str]) -> list[tuple[str, str]]:
    """Follow a text word by word; gives each told word beside the one that should stand there."""
    text = " ".join(words)
    found = []
    if world in ("ring", "calls"):
        ring = (
            [f"{n}." for n in range(1, 6)]
            if world == "calls"
            else ["one.", "two.", "three.", "four.", "five."]
        )
        place = ring.index(words[4])
        for word in words[5:]:
            if word in ("Left.", "Right."):
                place = (place + (1 if word == "Right." else -1)) % 5
            elif word == "Swap." and place < 2:
                place = 1 - place
            elif word in ring:
                found.append((word, ring[place]))
    elif world == "people":
        has: dict[str, str] = {}
        told = False
        for sentence in text.replace(" ,", "").split(". "):
            part = sentence.rstrip(".").split()
            if part[0] == "Now":
                told = True
                found.append((part[4], has[part[1]]))
            elif part[1:3] == ["has", "the"] and not told:
                has[part[0]] = part[3]
            elif part[-1] == "swap":
                has[part[0]], has[part[2]] = has[part[2]], has[part[0]]
    else:
        values: dict[str, int] = {}
        for part in re.finditer(r"print (\w) (\d)|(\w) = (\w) \+ (\d)|(\w) = (\d)", text):
            printed, value, to, source, plus, name, first = part.groups()
            if printed:
                found.append((value, str(values[printed])))
            elif to:
                values[to] = (values[source] + int(plus)) % 5
            else:
                values[name] = int(first)
    return found


@pytest.mark.parametrize("filler", [0.0, 0.5])
@pytest.mark.parametrize("name", WORLDS)
def test_what_is_told_is_how_things_stand(name: str, filler: float) -> None:
    world: World = WORLDS[name]()
    for changes in (1, 3):
        drawn = world.draw(CounterRNG(0, "test", np.arange(40)), 40, changes, filler)
        assert len(drawn.places) == TOLD * changes and len(drawn.told) == TOLD
        for row in drawn.words:
            words = [world.vocabulary[number] for number in row]
            told = follow(name, words)
            assert len(told) == TOLD and all(one == right for one, right in told), " ".join(words)
            assert [words[column].rstrip(".") for column in drawn.told] == [
                one.rstrip(".") for one, _ in told
            ]


def test_bytes_are_those_of_the_text() -> None:
    world = Ring()
    drawn = world.draw(CounterRNG(0, "test", np.arange(3)), 3, 2, 0.0)
    texts = [" ".join(world.vocabulary[number] for number in row[1:]) + " " for row in drawn.words]
    assert world.size(drawn).tolist() == [len(text.encode()) for text in texts]
