"""Answer public tasks with dense tokens between question and answer, and compare with other ways of reading."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from hornbook.dense_tokens.fitness import position_limit
from hornbook.dense_tokens.folder import wrap_folder
from hornbook.dense_tokens.loss import word_logits
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.prove.statistics import accuracy, difference, mcnemar, needed
from hornbook.dense_tokens.vector import ablate
from hornbook.errors import HornbookError
from hornbook.evaluation.answers import Answers, answer
from hornbook.evaluation.continuations import Scores, score_continuations
from hornbook.evaluation.questions import ON_HUB, PublicTask, Question, find_task, read_questions
from hornbook.reporter import Reporter
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
"""Maps each arm to its way of reading: no dense tokens; these tokens without vectors; with random vectors of the same
length; with the model's own. Any one model can read in the first four ways; the other arms are models trained so."""

_UNLIMITED = 2048
"""Most tokens to read if the model has no limit of its own."""


def ask_models(
    models: Sequence[Path],
    others: Mapping[str, Sequence[Path] | None],
    tasks: Sequence[str] | None = None,
    data: Path | None = None,
    count: int = 4,
    limit: int = 1500,
    difference: float = 0.05,
    seed: int = 0,
    report: Reporter | None = None,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Ask the same questions in four ways, and return the figures by task and way.

    Before the answer stand no extra tokens, or `count` pause tokens, tokens with random vectors, or dense tokens.
    `models` are folders of causal models that differ only in their seed. By default the models themselves answer in
    all four ways; `others` maps a way to folders of models that were trained for it, one for each model. First,
    `report` says how many questions it takes to see a `difference` (a share, such as 0.05). Raises HornbookError where
    `others` names more or fewer folders than there are models.
    """
    report = report or Reporter()
    folders = dict.fromkeys(("plain", "pause", "random", "dense"), models)
    for arm, given in others.items():
        if given and len(given) != len(models):
            raise HornbookError(
                f"--{arm.replace(' ', '-')} names {len(given)} folders for {len(models)} models: name one for each"
            )
        if given:
            folders[arm] = given
    chosen = {name: find_task(name) for name in tasks or ON_HUB}
    questions = {name: read_questions(one, data, limit) for name, one in chosen.items()}
    for name, one in chosen.items():
        tell_needed(report, one, len(questions[name]), difference)
    answers: dict[str, dict[str, list[Answers]]] = {name: {arm: [] for arm in folders} for name in chosen}
    with report.shares() as tell:
        for arm, places in folders.items():
            for place in places:
                model, tokenizer = wrap_folder(place)
                for name, asked in questions.items():
                    progress = partial(tell, f"{name}, {arm}, {place.name}")
                    found = answer_with(model, tokenizer, asked, ARMS[arm], count, seed, progress)
                    answers[name][arm].append(found)
    return {name: compare(ways) for name, ways in answers.items()}


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

    The model reads the same words in all ways: long contexts are cut as if the dense tokens were always there.
    """
    token = model.options.token
    if reading == "plain":  # without those, too, that stand in the question itself
        questions = [replace(one, context=one.context.replace(token, "")) for one in questions]
    return answer(
        questions, lambda pairs: score_with(model, tokenizer, pairs, reading, count, seed, progress)
    )


def score_with(
    model: DenseModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[tuple[str, str]],
    reading: Way,
    count: int,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Scores:
    """Score (context, continuation) pairs as `score_continuations` does, with `count` dense tokens between the two."""
    between = [] if reading == "plain" else [model.dense_id] * count
    rng = torch.Generator().manual_seed(key(seed, "tasks"))
    was_training = model.training
    model.eval()
    found = score_continuations(
        tokenizer,
        pairs,
        partial(_hidden, model, reading, rng),
        lambda hidden: word_logits(model.logits(hidden), model.dense_id),
        length_of(model) - count + len(between),
        model.model.device,
        between,
        progress,
        [model.options.token],
    )
    model.train(was_training)
    return found


def length_of(model: DenseModel) -> int:
    """Count the tokens that a model is given at most."""
    return (position_limit(model.model) or (_UNLIMITED, False))[0]


def tell_needed(report: Reporter, task: PublicTask, count: int, difference: float) -> None:
    """Say how many questions it takes to see a difference (a share, such as 0.05), beside how many there are."""
    chance = max(task.chance, 0.02)
    report.say(
        f"{task.name}: {count:,} questions; to see a difference of {100 * difference:g} points between models at "
        f"{100 * chance:g} %, in four of five tries, takes {needed(difference, chance):,}"
    )


def compare(answers: Mapping[str, Sequence[Answers]]) -> dict[str, dict[str, Any]]:
    """Compute figures for each way (one `Answers` for each model), and its paired difference from the dense way.

    Intervals are over models and questions; p is McNemar's, the largest among the models.
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
