"""The phases of a run: where each lies among its steps, which tokens it reads, and which positions it trains."""

from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedConfig

from hornbook.recipe import Recipe
from hornbook.store import Plan, TokenStore


@dataclass(frozen=True)
class PlannedPhase:
    """Some steps with sequences of one length."""

    length: int
    """Tokens in a sequence."""
    plan: Plan
    """What they read, and the step that they begin with."""
    last: int
    """The first step, counted from 0, that is no longer among them."""

    @property
    def tokens(self) -> int:
        """Input tokens in a step, over all processes."""
        return self.plan.batch * self.length


def plan_phases(recipe: Recipe, store: TokenStore) -> list[PlannedPhase]:
    """Plan what each phase reads of a store.

    Each begins an epoch that none before it has touched, since examples of another length can't go on with one. Raises
    HornbookError where the objective finds no example in the store.
    """
    planned: list[PlannedPhase] = []
    first, epoch = 0, 0
    for length, steps, batch in recipe.phases:
        plan = recipe.objective.plan(store, length, batch, recipe.seed, first, epoch)
        first, epoch = first + steps, plan.after(steps)
        planned.append(PlannedPhase(length, plan, first))
    return planned


def phase_of(phases: list[PlannedPhase], step: int) -> PlannedPhase:
    """Find the phase of a step, counted from 0."""
    return next(phase for phase in phases if step < phase.last)


def describe_phases(recipe: Recipe, config: PreTrainedConfig) -> list[dict[str, Any]]:
    """Tell of each phase its steps, length and batch, and what it teaches the position table.

    `positions` are the first and last row that it trains, None where positions are rotary, relative or left out and no
    table learns; `tokens_per_position` how many tokens stand at each of them, the padding of short examples counted,
    None where positions restart in each document, so that it depends on their lengths.
    """
    told = []
    for length, steps, batch in recipe.phases:
        rows = recipe.model.family.position_rows(config, length) if recipe.model.positions else None
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
