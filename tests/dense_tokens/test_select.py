"""Scores against texts taken one by one, and what is kept."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from hornbook.dense_tokens import DenseModel
from hornbook.dense_tokens.select import Scored, SelectOptions, keep, score
from hornbook.errors import HornbookError

DENSE = 29


def nats(dense: DenseModel, words: list[int], after: list[int], rounds: int) -> float:
    """Sum -ln p of the words after the first dense token, one text, places by hand."""
    ids: list[int] = []
    for column, word in enumerate(words):
        ids += [word, *[DENSE] * after.count(column)]
    filled = dense(torch.tensor([ids]), rounds=rounds)
    logs = filled.head(filled.hidden)[0, :, :DENSE].log_softmax(-1)
    first = ids.index(DENSE)
    return -sum(
        float(logs[place - 1, ids[place]]) for place in range(first + 1, len(ids)) if ids[place] != DENSE
    )


@pytest.mark.parametrize("rounds", [1, 2])
@pytest.mark.parametrize("places", ["chance", "least-sure"])
def test_scores_are_those_of_single_texts(
    places: str, rounds: int, model: Callable[..., PreTrainedModel]
) -> None:
    dense = DenseModel(model("gpt_neox").double().eval(), DENSE)
    words = np.random.default_rng(0).integers(0, 26, (3, 9))
    real = np.ones((3, 9), bool)
    real[1, 6:] = False
    options = SelectOptions(proposals=4, count=2, rounds=rounds, places=places)
    scored = score(dense, words, real, options, seed=5)
    assert scored.places[1].max() < 5 and scored.places.max() < 8  # a word follows each
    with torch.no_grad():
        for text in range(3):
            own = words[text][real[text]].tolist()
            for proposal in range(4):
                after = scored.places[text, proposal].tolist()
                gained = nats(dense, own, after, 0) - nats(dense, own, after, rounds)
                assert scored.gains[text, proposal] == pytest.approx(gained, abs=1e-9)
                assert scored.counted[text, proposal] == len(own) - after[0] - 1


def test_what_is_kept() -> None:
    gains = np.array([[1.0, 4.0], [6.0, 2.0], [-1.0, -2.0], [0.0, 9.0]])
    counted, words = np.array([[1, 1], [2, 1], [1, 1], [1, 3]]), np.array([3, 2, 4, 4])
    scored = Scored(np.zeros((4, 2, 1), np.int64), gains, counted, words)

    def kept(**options: object) -> tuple[list[int], list[int]]:
        texts, proposals = keep(scored, SelectOptions(share=0.5, **options), seed=1)
        return texts.tolist(), proposals.tolist()

    # ln perplexity falls by 4/3, 3, -1/4 and 9/4, however many words follow the token.
    assert kept(keep="places") == ([0, 1, 2, 3], [1, 0, 0, 1])
    assert kept(keep="texts") == ([1, 3], [0, 1])
    texts, proposals = kept(keep="chance")
    assert len(set(texts)) == 2 and proposals == [0, 0]


def test_bad_input(model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(model("gpt_neox").eval(), DENSE)
    words, real = np.zeros((2, 4), np.int64), np.ones((2, 4), bool)
    with pytest.raises(HornbookError, match=r"has 3 places .* 4 are to be put in"):
        score(dense, words, real, SelectOptions(count=4), seed=0)
    with torch.no_grad():
        dense.model.get_input_embeddings().weight[0] = float("nan")
    with pytest.raises(HornbookError, match="scores are no numbers"):
        score(dense, words, real, SelectOptions(count=1), seed=0)
