"""What a trial of dense tokens found: figures of each arm, curves, and the texts where they help and hurt most."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from hornbook.dense_tokens.insert import Floats
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.prove.statistics import accuracy
from hornbook.dense_tokens.verdict import judge
from hornbook.training.dense import DenseTraining
from hornbook.training.tried import Tried

_EXAMPLES = 5

Trained = Mapping[str, Sequence[Mapping[str, Any]]]
"""The trainings of each arm, a seed each, as `train_ways` gives them."""


def outcome(
    trained: Trained,
    tried: Tried,
    options: DenseTraining,
    model: DenseModel,
    tokenizer: PreTrainedTokenizerBase,
) -> dict[str, Any]:
    """Compute all figures as plain values, for JSON and for the page; `model` is any of the trained ones."""
    sums = {arm: np.array([[sum(text) for text in one["nats"]] for one in of]) for arm, of in trained.items()}
    words = np.array([len(text) for text in trained["dense"][0]["nats"]])
    # A mean over texts then is nats a word, however long each text is.
    nats = {arm: one / words.mean() for arm, one in sums.items()}
    found = judge(nats, tried.name, tried.unit)
    gaps = (sums["dense"] - sums[found["rival"]]).mean(0) / words
    order = np.argsort(gaps, kind="stable")
    helped = [int(one) for one in order[:_EXAMPLES] if gaps[one] < 0]
    hurt = [int(one) for one in order[::-1][:_EXAMPLES] if gaps[one] > 0]

    def shown(number: int) -> dict[str, Any]:
        of = [_word_nats(trained, arm, number) for arm in ("dense", found["rival"])]
        return {
            "gap": float(gaps[number]),
            "pieces": pieces(tokenizer, *tried.ids(model, number), model.dense_id, *of),
        }

    return {
        **found,
        "unit": tried.unit,
        "seeds": len(trained["dense"]),
        "texts": len(words),
        "words": int(words.sum()),
        "learned": len(tried.lessons),
        "rounds": options.rounds,
        "arms": {
            arm: {
                "steps": of[0]["steps"],
                "places": of[0]["steps"] * of[0]["places"],
                "readings": of[0]["steps"] * options.batch / len(tried.lessons),
                "nats": asdict(accuracy(nats[arm])),
                "by_seed": nats[arm].mean(1).tolist(),
                "right": None
                if of[0]["right"] is None
                else asdict(accuracy(np.array([one["right"] for one in of]))),
            }
            for arm, of in trained.items()
        },
        "curves": {arm: _curve(of) for arm, of in trained.items()},
        "examples": {"helped": [shown(one) for one in helped], "hurt": [shown(one) for one in hurt]},
    }


def _word_nats(trained: Trained, arm: str, number: int) -> Floats:
    """Average a held-out text's nats over the seeds, for each scored word."""
    return np.mean([one["nats"][number] for one in trained[arm]], axis=0)


def _curve(of: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """Give held-out nats a word by computed places: the mean over seeds, the lowest and the highest."""
    return [
        {
            "places": int(step) * of[0]["places"],
            "mean": float(np.mean(seen)),
            "low": min(seen),
            "high": max(seen),
        }
        for step in sorted(of[0]["looks"], key=int)
        if (seen := [one["looks"][step] for one in of])
    ]


def pieces(
    tokenizer: PreTrainedTokenizerBase,
    ids: Sequence[int] | np.ndarray,
    scored: Sequence[bool] | np.ndarray,
    dense_id: int,
    dense: Floats,
    plain: Floats,
) -> list[dict[str, Any]]:
    """Cut a text into its words, with what each costs with dense tokens and without (None where it isn't scored).

    A character that several tokens make is one piece, with the sum of their nats. `ids` and `scored` are (T,), the
    nats those of the scored places.
    """
    costs = iter(zip(dense, plain, strict=True))
    found, words, said = list[dict[str, Any]](), list[int](), ""
    waiting: list[tuple[float, float]] = []
    for one, counts in zip(map(int, ids), scored, strict=True):
        if one == dense_id:
            found.append({"text": "", "token": True, "dense": None, "plain": None})
            continue
        words.append(one)
        waiting += [next(costs)] if counts else []
        text = tokenizer.decode(words, clean_up_tokenization_spaces=False)
        if text.endswith("\ufffd"):
            continue  # a part of a character
        both = np.sum(waiting, axis=0).tolist() if waiting else [None, None]
        found.append({"text": text[len(said) :], "token": False, "dense": both[0], "plain": both[1]})
        said, waiting = text, []
    if waiting:  # the text ends within a character
        both = np.sum(waiting, axis=0).tolist()
        found.append({"text": "\ufffd", "token": False, "dense": both[0], "plain": both[1]})
    return found
