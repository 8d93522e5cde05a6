"""What a model is checked with by default: its natural objective, plain English, and a batch made from both."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import PretrainedConfig, PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.families import family_of
from hornbook.objectives import OBJECTIVES, Objective, Vocabulary
from hornbook.rng import CounterRNG
from hornbook.tokenizers import Head

SAMPLE = [
    "Once upon a time there was a little girl who lived in a house by the river with her mother and two dogs.",
    "One day she found a small boat in the park. She asked her friend to come and play, and they were happy.",
    "The old man said that the water was cold and the way was long, so they went home and had bread and milk.",
    "At night the stars came out. Everyone was tired, and the girl told her mother all that she had seen.",
]
"""Plain English of common words, for folders that bring no text."""
_ROWS = 32
"""Examples of a batch, at most; they are spread over the text."""


def natural_objective(head: Head | None, config: PretrainedConfig | None) -> Objective | None:
    """Choose the natural objective for a head; None if none of ours is.

    Each text-to-text architecture was published with its own objective; BART's differs from T5's. So none is guessed
    for an unknown architecture.
    """
    if head == "seq2seq" and family_of(getattr(config, "model_type", None)) is None:
        return None
    return next((kind() for kind in OBJECTIVES.values() if head in kind.natural), None)


def make_sample_batch(
    objective: Objective,
    tokenizer: PreTrainedTokenizerBase,
    vocabulary: Vocabulary,
    length: int,
    texts: list[str],
    place: Path,
) -> dict[str, Tensor] | None:
    """Make a batch from texts, and store their tokens at `place`; None if the objective can't make one."""
    end = objective.end(vocabulary)
    length = min(length, 64)
    if end is None or objective.problems(vocabulary, length):
        return None
    store = objective.store(place, texts, tokenizer, end)
    try:
        chunking = objective.chunking(store, length)
    except HornbookError:  # too little text
        return None
    last = max(3, chunking.count)
    rows = np.unique(np.linspace(0, last, min(last + 1, _ROWS)).astype(np.int64))
    made = objective.read(store, chunking, chunking.starts(rows), vocabulary, CounterRNG(0, 0, rows))
    return {name: torch.from_numpy(array) for name, array in made.items()}
