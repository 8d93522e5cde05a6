"""Generate text with dense tokens: the model emits them itself, or a rule inserts them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from hornbook.dense_tokens.loss import word_logits
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.reading import Reading
from hornbook.rng import CounterRNG
from hornbook.section import Section

_READ = 5
"""How many likely words to decode from each vector."""


class Writing(Section):
    """How a text is generated."""

    tokens: int = Field(200, ge=1, le=10**9)
    """Most words; dense tokens don't count."""
    think: Literal["model", "every", "entropy", "never"] = "model"
    """When a dense token comes: when the model emits it; after every `every` words; where the next word is uncertain;
    or never."""
    every: int = Field(4, ge=1, le=10**9)
    """With `think: every`: words between two dense tokens."""
    entropy: float = Field(3.0, ge=0, le=10**6)
    """With `think: entropy`: the least entropy of the next word, in nats, at which a dense token comes."""
    budget: int = Field(64, ge=0, le=10**9)
    """Most dense tokens in a text."""
    longest: int = Field(4, ge=1, le=10**9)
    """Most dense tokens in a row."""
    temperature: float = Field(0.8, ge=0, le=10**6)
    """Sampling temperature; 0 takes the likeliest token."""
    top_k: int = Field(50, ge=0, le=10**9)
    """Sample from so many likeliest tokens; 0 is all."""
    top_p: float = Field(0.95, gt=0, le=1)
    """Sample from the fewest tokens that reach this probability together."""
    seed: int = 0


@dataclass(frozen=True)
class GenerationStep:
    """A generated token."""

    token: int
    dense: bool
    read: tuple[tuple[int, float], ...] = ()
    """For a dense token: the words that the model's head reads from its vector, with their probabilities."""


@dataclass
class _Row:
    """The state of one text."""

    steps: list[GenerationStep] = field(default_factory=list)
    words: int = 0
    dense: int = 0
    run: int = 0
    """Dense tokens since the last word."""
    since: int = 0
    """Words since the last dense token."""
    done: bool = False


@torch.inference_mode()
def write(
    model: DenseModel,
    prompts: list[list[int]],
    end: int | None,
    banned: list[int],
    options: Writing,
    heard: Callable[[int, GenerationStep], None] | None = None,
) -> list[list[GenerationStep]]:
    """Continue prompts, each a list of ids that may hold dense tokens; return the steps of each text.

    Each step runs the model on one token of each text, with a cache, so that a dense token costs as much as a word.
    Texts are independent: the same seed and row give the same text whatever the other rows hold, as long as positions
    are left. A text ends at the id `end`, after `options.tokens` words, or where the model has no position left.
    `banned` ids are never written. `heard` is called with the row and the step. Raises HornbookError for an empty
    prompt and for one that is too long.
    """
    reading = Reading(model, prompts)
    rows = [_Row() for _ in prompts]
    for number in range(options.tokens + options.budget):
        room = reading.room.tolist()
        logits = model.logits(reading.hidden).float()
        chosen = _choose(model, logits, rows, banned, options, number, room)
        read = _read(model, logits) if bool((chosen == model.dense_id).any()) else None
        for row, token in enumerate(chosen.tolist()):
            if not rows[row].done:
                step = GenerationStep(
                    token, token == model.dense_id, read[row] if read and token == model.dense_id else ()
                )
                _note(rows[row], step, end, options)
                if heard:
                    heard(row, step)
                rows[row].done |= room[row] < 1
        if all(row.done for row in rows):
            break
        reading.read(chosen, torch.tensor([not row.done for row in rows], device=chosen.device))
    return [row.steps for row in rows]


def _choose(
    model: DenseModel,
    logits: Tensor,
    rows: list[_Row],
    banned: list[int],
    options: Writing,
    number: int,
    room: list[int],
) -> Tensor:
    """Choose each text's next token from logits (B, V): shape (B,)."""
    logits = logits.index_fill(-1, torch.tensor(banned, dtype=torch.long, device=logits.device), -math.inf)
    words = word_logits(logits, model.dense_id)
    able = torch.tensor(
        [
            row.dense < options.budget and row.run < options.longest and left > 0
            for row, left in zip(rows, room, strict=True)
        ],
        device=logits.device,
    )
    if options.think == "model":
        logits = torch.where(able[:, None], logits, words)
        return _sample(logits, options, number, rows)
    chosen = _sample(words, options, number, rows)
    if options.think == "every":
        due = torch.tensor([row.since >= options.every for row in rows], device=logits.device)
    elif options.think == "entropy":
        due = torch.distributions.Categorical(logits=words).entropy() >= options.entropy
    else:
        due = torch.zeros_like(able)
    return torch.where(able & due, model.dense_id, chosen)


def _sample(logits: Tensor, options: Writing, number: int, rows: list[_Row]) -> Tensor:
    """Sample from logits (B, V) by the options, with an independent random number for each row."""
    if options.temperature == 0:
        return logits.argmax(-1)
    nothing = torch.empty(0, dtype=torch.long)
    logits = TemperatureLogitsWarper(float(options.temperature))(nothing, logits)
    if options.top_k:
        logits = TopKLogitsWarper(min(options.top_k, logits.shape[-1]))(nothing, logits)
    if options.top_p < 1:
        logits = TopPLogitsWarper(float(options.top_p))(nothing, logits)
    total = logits.double().softmax(-1).cumsum(-1)
    uniform = CounterRNG(options.seed, number, np.arange(len(rows))).uniform("token", 1)
    drawn = torch.from_numpy(uniform).to(logits.device) * total[:, -1:]
    return torch.searchsorted(total, drawn, right=True).squeeze(1).clamp(max=logits.shape[-1] - 1)


def _read(model: DenseModel, logits: Tensor) -> list[tuple[tuple[int, float], ...]]:
    """Return the likeliest words of logits (B, V), with their probabilities."""
    best = word_logits(logits, model.dense_id).softmax(-1).topk(_READ)
    return [
        tuple(zip(tokens, chances, strict=True))
        for tokens, chances in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def _note(row: _Row, step: GenerationStep, end: int | None, options: Writing) -> None:
    """Add a step to a text, and update its counts."""
    row.steps.append(step)
    if step.dense:
        row.dense, row.run, row.since = row.dense + 1, row.run + 1, 0
    else:
        row.words, row.run, row.since = row.words + 1, 0, row.since + 1
        row.done = step.token == end or row.words >= options.tokens
