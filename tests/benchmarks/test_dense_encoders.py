"""Questions that an encoder and dense tokens answer, and the models that are compared."""

import numpy as np
import pytest
import torch

from benchmarks.dense_encoders import CONTENDERS, KINDS, Answerer, Book, Contender, Friends, count, neox
from hornbook.rng import CounterRNG

ROWS = np.arange(60)


@pytest.mark.parametrize("depth", [1, 4])
def test_the_answer_is_where_it_is_after_all_moves(depth: int) -> None:
    friends = Friends()
    asked = friends.draw(CounterRNG(0, "test", ROWS), depth, "test")
    for words, answer in zip(asked.words, asked.answers, strict=True):
        the, thing, verb, at, place, *moves, now = (friends.words[number] for number in words)
        assert (the, verb, at, now) == ("The", "is", "at", "Now") and thing in friends.words[5:13]
        ring = [False] * 5
        ring[friends.words.index(place)] = True
        for move in moves:
            if move == "Swap.":
                ring[:2] = ring[1::-1]
            else:
                ring = ring[-1:] + ring[:-1] if move == "Right." else ring[1:] + ring[:1]
        assert len(moves) == depth and ring.index(True) == answer


def test_a_book_has_one_right_choice_of_four_and_no_chain_is_in_two_parts() -> None:
    book = Book()
    friend = dict(enumerate(book.friend.tolist()))
    chains: dict[str, set[tuple[int, int]]] = {}
    for part in ("train", "validation", "test"):
        for depth in (1, 2, 3):
            asked = book.draw(CounterRNG(0, part, np.arange(400)), depth, part)
            assert asked.choices is not None
            for words, answer, choices in zip(asked.words, asked.answers, asked.choices, strict=True):
                right = int(words[-1])
                for _ in range(depth):
                    right = friend[right]
                assert right == answer and words[-2] == book.people + depth - 1
                assert words[:4].tolist() == choices.tolist() and len({*choices.tolist()}) == 4
                assert answer in choices
                if depth > 1:
                    chains.setdefault(part, set()).add((int(words[-1]), depth))
    assert not chains["train"] & chains["test"] and not chains["validation"] & chains["test"]
    assert not chains["train"] & chains["validation"]
    assert len(chains["test"]) == 2 * book.people // 8


def test_the_right_choice_stands_anywhere() -> None:
    asked = Book().draw(CounterRNG(0, "test", np.arange(400)), 2, "train")
    assert asked.choices is not None
    shares = (asked.choices == asked.answers[:, None]).mean(0)
    assert (abs(shares - 0.25) < 0.1).all()


@pytest.mark.parametrize("name", KINDS)
def test_all_contenders_have_as_many_parameters(name: str) -> None:
    subject = KINDS[name]()
    counts = [count(Answerer(subject, contender, 0)) for contender in CONTENDERS.values()]
    assert max(counts) < 1.02 * min(counts)


def answer(contender: Contender, depth: int = 3, seed: int = 0) -> torch.Tensor:
    friends = Friends()
    words = torch.from_numpy(friends.draw(CounterRNG(0, "test", ROWS), depth, "test").words)
    return Answerer(friends, contender, seed)(words, depth).detach()


def test_reading_both_ways_matters_from_two_layers_on() -> None:
    one, other = Contender("causal"), Contender("prefix")
    assert torch.allclose(answer(one), answer(other), atol=1e-5)
    one, other = Contender("causal", 2, 48), Contender("prefix", 2, 48)
    assert not torch.allclose(answer(one), answer(other), atol=1e-2)


def test_a_looped_layer_is_as_many_layers_with_the_same_weights() -> None:
    friends = Friends()
    looped = Answerer(friends, Contender("looped"), 0)
    deep = Answerer(friends, Contender("prefix"), 0)
    weights = deep.model.state_dict()
    deep.model = neox(friends.size, 64, 256, 3)
    for name in deep.model.state_dict():
        if ".layers." in name:
            weights[name] = weights[".".join(["0" if part.isdigit() else part for part in name.split(".")])]
    deep.model.load_state_dict(weights)
    words = torch.from_numpy(friends.draw(CounterRNG(0, "test", ROWS), 3, "test").words)
    assert torch.allclose(looped(words, 3), deep(words, 3), atol=1e-6)
    assert not torch.allclose(looped(words, 3), looped(words, 2), atol=1e-2)


def test_the_vectors_of_dense_tokens_matter() -> None:
    assert not torch.allclose(answer(Contender("dense")), answer(Contender("pause")), atol=1e-2)
    assert torch.allclose(answer(Contender("dense"), 1), answer(Contender("causal"), 1), atol=1e-5)
