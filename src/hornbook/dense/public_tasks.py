"""Public tasks with dense tokens between a question and its answer, and with everything that they compare with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from hornbook.dense.fitness import position_limit
from hornbook.dense.loss import word_logits
from hornbook.dense.model import DenseModel
from hornbook.dense.prove.statistics import accuracy, difference, mcnemar
from hornbook.dense.vector import ablate
from hornbook.evaluation.answers import Answers, answer
from hornbook.evaluation.continuations import score_endings
from hornbook.evaluation.questions import Question
from hornbook.rng import key

Way = Literal["plain", "pause", "random", "dense"]
ARMS: dict[str, Way] = {
    "plain": "plain",
    "pause": "pause",
    "random": "random",
    "dense": "dense",
    "detached": "dense",
    "same compute": "plain",
    "deeper": "plain",
}
"""What is compared, and how it reads: no dense tokens; the tokens without vectors; with random vectors of the same
length; with the model's own. The first four any one model can be asked, the others are folders trained that way."""

_UNLIMITED = 2048
"""Tokens that are read at most where the model has no limit of its own."""


def answer_with(
    model: DenseModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Question],
    reading: Way,
    count: int,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Answers:
    """Answer questions after `count` dense tokens, read in one of four ways.

    All ways give the model the same words: a context that is too long is cut as if the tokens stood there each time.
    """
    limit, _ = position_limit(model.model) or (_UNLIMITED, False)
    between = [] if reading == "plain" else [model.dense_id] * count
    rng = torch.Generator().manual_seed(key(seed, "tasks"))
    was_training = model.training
    model.eval()
    found = answer(
        questions,
        lambda pairs: score_endings(
            tokenizer,
            pairs,
            partial(_hidden, model, reading, rng),
            lambda hidden: word_logits(model.logits(hidden), model.dense_id),
            limit - count + len(between),
            model.model.device,
            between,
            progress,
        ),
    )
    model.train(was_training)
    return found


def compare(answers: Mapping[str, Sequence[Answers]]) -> dict[str, dict[str, Any]]:
    """Put each way's answers, a model each, in figures, and in what the dense one is ahead of it by: paired.

    Intervals are over models and questions; p is McNemar's, the largest of the models.
    """
    right = {way: np.stack([one.right for one in found]) for way, found in answers.items()}
    told: dict[str, dict[str, Any]] = {}
    for way, found in answers.items():
        told[way] = {
            "right": asdict(accuracy(right[way])),
            "right by likelihood per byte": asdict(accuracy(np.stack([one.right_per_byte for one in found]))),
            "bits per byte of right endings": float(np.mean([one.bits_per_byte for one in found])),
            "dense is ahead by": None,
            "p": None,
        }
        if way != "dense":
            pairs = zip(right["dense"], right[way], strict=True)
            told[way] |= {
                "dense is ahead by": asdict(difference(right["dense"], right[way])),
                "p": max(mcnemar(one, other) for one, other in pairs),
            }
    return told


def _hidden(model: DenseModel, reading: Way, rng: torch.Generator, ids: Tensor, real: Tensor) -> Tensor:
    layout = model.layout(ids, real)
    filled = model(ids, layout, None if reading in ("dense", "random") else 0)
    if reading == "random":
        filled = model.consume(ids, layout, ablate("noise", filled.vectors, layout.fed, rng))
    return filled.hidden
