"""The phases of a run: which steps each one takes, which tokens it reads, and which positions it trains."""

from dataclasses import dataclass
from typing import Any

from transformers import PretrainedConfig

from hornbook.recipe import Recipe
from hornbook.store import Plan, TokenStore


@dataclass(frozen=True)
class PlannedPhase:
    """Some steps with sequences of one length."""

    length: int
    """Tokens in a sequence."""
    plan: Plan
    """What these steps read, and the first of them."""
    last: int
    """The step after the last one, counted from 0."""

    @property
    def tokens(self) -> int:
        """Input tokens in a step, over all processes."""
        return self.plan.batch * self.length


def plan_phases(recipe: Recipe, store: TokenStore) -> list[PlannedPhase]:
    """Plan what each phase reads of a store.

    Each phase begins a new epoch, since examples of another length can't continue an old one. Raises HornbookError
    where the objective finds no example in the store.
    """
    planned: list[PlannedPhase] = []
    first, epoch = 0, 0
    for length, steps, batch in recipe.phases:
        plan = recipe.objective.plan(store, length, batch, recipe.seed, first, epoch)
        first, epoch = first + steps, plan.epoch_after(steps)
        planned.append(PlannedPhase(length, plan, first))
    return planned


def phase_of(phases: list[PlannedPhase], step: int) -> PlannedPhase:
    """Find the phase of a step, counted from 0."""
    return next(phase for phase in phases if step < phase.last)


def describe_phases(recipe: Recipe, config: PretrainedConfig) -> list[dict[str, Any]]:
    """Describe each phase: its steps, length and batch, and what it trains in the position table.

    `positions` holds the first and the last row that it trains; it is None if no table is trained, since positions are
    others than learned ones. `tokens_per_position` is how many tokens stand at each of these rows, with the
    padding of short examples; it is None if positions restart in each document, so that it depends on their lengths.
    """
    told = []
    for length, steps, batch in recipe.phases:
        rows = (
            recipe.model.family.position_rows(config, length)
            if recipe.model.positions in (None, "learned")
            else None
        )
        told.append(
            {
                "steps": steps,
                "length": length,
                "batch": batch,
                "positions": [rows[0], rows[-1]] if rows else None,
                "tokens_per_position": steps * batch if rows and not recipe.objective.restarts else None,
            }
        )
    return told
