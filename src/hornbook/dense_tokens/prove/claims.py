"""What the proof claims, one sentence each, and on which seeds each holds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hornbook.dense_tokens.prove.arms import ARMS
from hornbook.dense_tokens.prove.trial import Trial

ENOUGH = 0.99
"""The share of the deepest questions that every dense model has to answer."""
NEAR = 0.05
"""How far a dense model whose vectors are replaced may be above pause tokens, or above chance."""

_REPLACED = {
    "zero": "zero vectors",
    "shuffle": "another question's vectors",
    "mean": "mean vectors",
    "noise": "noise for vectors",
}


def claims(trials: dict[str, Trial], depth: int, most: float, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Name each claim about the questions of `depth`, the seeds it was tried on, and those on which it holds.

    With its vectors replaced, a model may answer the share `most`.
    """
    shares = {arm: trial.right[depth].mean(1) for arm, trial in trials.items()}
    dense = shares["dense"]
    found = [(f"dense tokens answer {100 * ENOUGH:.0f} % and more", dense >= ENOUGH)]
    for arm, share in shares.items():
        if ARMS[arm].vectors != "own":
            found.append((f"ahead of {ARMS[arm].title}", dense[: len(share)] > share))
    for kind, right in trials["dense"].ablated.items():
        found.append((f"with {_REPLACED[kind]} they answer nothing", right.mean(1) <= most))
    return [_tell(text, held, seeds) for text, held in found]


def _tell(text: str, held: npt.NDArray[np.bool_], seeds: Sequence[int]) -> dict[str, Any]:
    tried = list(seeds[: len(held)])
    return {
        "claim": text,
        "tried_on": tried,
        "held_on": [seed for seed, one in zip(tried, held.tolist(), strict=True) if one],
    }
