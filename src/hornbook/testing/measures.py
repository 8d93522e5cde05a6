"""Every measure that an objective declares gives what its twin gives."""

import math
from pathlib import Path

import torch

from hornbook.evaluation.measure import Heldout
from hornbook.evaluation.measures import MEASURES
from hornbook.testing.case import Case
from hornbook.testing.stories import make_stories

ROUNDING = 2**-8
"""How far a figure may move under bf16's autocast, as a share."""


def measures(case: Case, folder: Path) -> None:
    """Each figure is its brute-force twin's in fp32, and near it under bf16's autocast."""
    stories = make_stories(5)
    texts = [stories[0][:50], "a", stories[1][:80], *stories[2:]][
        : 3 if case.objective.head == "pairs" else None
    ]
    model = case.model(seed=1).eval()
    plain = case.plain(model)
    heldout = Heldout(case.loaded(model), case.objective, texts, case.store(texts))
    for name in case.objective.measures:
        case.require(
            name in case.twins,
            f"the measure {name} has no twin to be compared with: give conformance twins={{{name!r}: a function}}",
        )
        expected = case.twins[name](case, plain, texts)
        for rounded in (False, True):
            with torch.autocast("cpu", torch.bfloat16, enabled=rounded):
                figures = MEASURES.find(name).measure(heldout, lambda what, share: None)
            values = [one["value"] for one in figures]
            case.require(
                len(values) == len(expected),
                f"{name} gives {len(values)} figures, and its twin {len(expected)}",
            )
            for one, value, right in zip(figures, values, expected, strict=True):
                share = one["unit"] == "share"  # a right answer more or less is no rounding
                case.require(
                    math.isclose(value, right, rel_tol=ROUNDING if rounded else 1e-5) or (rounded and share),
                    f"{one['measure']} is {value:.6f} {one['unit']}{' in bf16' * rounded}, and its twin, one forward "
                    f"pass at a time, gives {right:.6f}",
                )
