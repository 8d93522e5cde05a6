"""The loss of an example as arithmetic, beside what training computes."""

import math

import torch
from torch import Tensor

from hornbook.example.parts import LossStep, Term
from hornbook.loading import LoadedModel
from hornbook.objectives import Objective
from hornbook.objectives.arithmetic import Arithmetic
from hornbook.objectives.batch_to_loss import compute_loss, move
from hornbook.tokenizers import VisibleTokens

_ROUNDING = 1e-4
"""How far two ways to compute a sum may be apart, as a share of it."""


@torch.no_grad()
def terms_of(
    loaded: LoadedModel, objective: Objective, batch: dict[str, Tensor], names: VisibleTokens
) -> tuple[tuple[Term, ...], float, tuple[str, ...]]:
    """Give the terms of a batch's loss place by place, the loss that training computes, and remarks.

    A term whose places don't come to the sum that training computes is shown without them, and a remark says so.
    """
    batch = move(batch, loaded.model.device)
    sums, counts = compute_loss(loaded.family, objective, loaded.model, batch)
    by_place = objective.arithmetic(loaded.family, loaded.model, batch)
    terms, remarks = [], []
    for (name, weight), total, count in zip(
        objective.terms.items(), sums.tolist(), counts.tolist(), strict=True
    ):
        found = by_place.get(name)
        steps = steps_of(found, names) if found else ()
        if found and not math.isclose(sum(one.nats for one in steps), total, rel_tol=_ROUNDING, abs_tol=1e-4):
            remarks.append(
                f"The {name} of {objective.title} isn't the sum of its places' -ln p, so that only its sum is shown."
            )
            steps = ()
        terms.append(Term(name, steps, total, int(count), weight, found.choices if found else 0))
    return tuple(terms), sum(term.weight * term.mean for term in terms), tuple(remarks)


def steps_of(found: Arithmetic, names: VisibleTokens) -> tuple[LossStep, ...]:
    """Put one term's places in words, those of the first example."""

    def name(one: int) -> str:
        return found.classes[one] if found.classes else names.tokens([one])[0]

    read = [""] * len(found.right) if found.read is None else names.tokens(found.read.tolist())
    return tuple(
        LossStep(place, name(right), logit, total, nats, math.exp(-nats), name(best), stood)
        for place, right, logit, total, nats, best, stood in zip(
            found.places.tolist(),
            found.right.tolist(),
            found.logits.tolist(),
            found.totals.tolist(),
            found.nats.tolist(),
            found.best.tolist(),
            read,
            strict=True,
        )
    )
