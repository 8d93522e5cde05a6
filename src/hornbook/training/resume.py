"""What may change when a run goes on, and what a run's folder says of how it began."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hornbook.atomic import unfinished
from hornbook.errors import Damaged, HornbookError
from hornbook.recipe import Recipe, ResolvedPhase, began, make_recipe
from hornbook.schedules import learning_rate
from hornbook.sealed import find_damage, newest_first, read_sealed
from hornbook.training.alone import is_lock

COURSE = "course.json"
"""The copy of run.json in each checkpoint."""
_SETTLED = ("corpus.", "tokenizer.")
"""Sections that are compared by what comes of them: the run's tokens and its tokenizer."""
_PLACES = {"name", "out", "cache"}
_FREE = {
    *_PLACES,
    *(f"training.{name}" for name in ("log_every", "evaluate_every", "evaluate_windows", "checkpoint_every")),
    *(f"training.{name}" for name in ("keep", "trackers", "workers", "accumulate", "shard")),
}
"""Values that can't change what is learned."""
_RESULTS = ("evaluation.json", "study.json", "tasks", "finetuned", "model")
"""What a finished run has, and an extended one gets anew; the model, by which it counts as finished, is the last."""
_EARLY = ("recipe.yaml", "README.md", "contract.json", "log.jsonl", "memory.json", "trackers", "checkpoints")
"""What a run that saved nothing yet may have beside its run.json."""


def read_facts(folder: Path, warn: Callable[[str], None]) -> dict[str, Any] | None:
    """Read a run's run.json, or its copy in the newest checkpoint that has one; None where nothing was trained yet.

    `warn` is called where it is damaged. Raises Damaged if nothing tells any more what was trained.
    """
    path = folder / "run.json"
    checkpoints = newest_first(folder / "checkpoints")
    if not checkpoints and not path.exists():
        return None
    try:
        return read_sealed(path, "")
    except Damaged as error:
        told = str(error).rstrip(": ")
    for checkpoint in checkpoints:
        try:
            facts = read_sealed(checkpoint / COURSE, "")
        except Damaged:
            continue
        warn(f"{told}; it is restored from {checkpoint}")
        return facts
    if checkpoints or (folder / "model").exists():
        raise Damaged(
            f"{told}, and no checkpoint has a copy: bring the old file back, or begin another run with --set out=..."
        )
    warn(f"{told}; nothing was saved yet, so the run begins anew")
    return None


def check_folder(
    recipe: Recipe, say: Callable[[str], None] | None = None, warn: Callable[[str], None] | None = None
) -> dict[str, Any] | None:
    """Refuse a folder that holds another recipe's run, with all that differs; or no run, but other files.

    `say` is called with what differs and is let through. A finished run whose `training.steps` were raised is made
    ready to be extended: what it has is put aside. Returns what the run's folder tells of how it began; None for a new
    one.
    """
    quiet = lambda text: None  # noqa: E731
    say, warn = say or quiet, warn or quiet
    folder = recipe.folder
    facts = read_facts(folder, warn)
    if facts is None:
        _check_empty(folder)
        return None
    before = make_recipe(began(folder, facts), source=str(folder))
    changed = _differences(before, recipe)
    free = [one for one in changed if one in _FREE or one.startswith(_SETTLED)]
    others = [one for one in changed if one not in free]
    old, new = _flat(before.model_dump(mode="json")), _flat(recipe.model_dump(mode="json"))
    longer = recipe.training.steps > before.training.steps
    may_be_longer = (
        longer
        and set(others) <= {"training.steps", "training.phases"}
        and _same_at_first(before.phases, recipe.phases)
    )
    ended = _ended(folder, before.training.steps)
    if others and not (may_be_longer and ended):
        told = [f"\n  - {one}: {old.get(one)!r}\n  + {one}: {new.get(one)!r}" for one in others]
        why = (
            "finish the run first, then raise training.steps to extend it"
            if may_be_longer
            else ("choose another folder with --set out=..., or delete that one")
        )
        raise HornbookError(
            f"{folder}: holds another recipe's run (- there, + here), which would make another model: {why}"
            + "".join(told)
        )
    if told := [
        f"{one} was {old.get(one)!r} and is now {new.get(one)!r}" for one in free if one not in _PLACES
    ]:
        say(f"{folder}: goes on with changed values, which don't change what is learned: {'; '.join(told)}")
    if "training.accumulate" in free:
        say(
            "other parts of a step are summed in another order and draw other dropout: the bits are others from here on"
        )
    if "training.shard" in free:
        say("gradients are summed in another order: the bits are others from here on")
    if others:
        end = folder / "checkpoints" / f"step-{before.training.steps:08d}"
        if find_damage(end):
            raise HornbookError(
                f"{folder}: can't be extended, since {end} isn't there or isn't whole: bring it back, or begin another "
                f"run from its model with --set model.from={folder / 'model'}"
            )
        _set_aside(folder, before.training.steps)
        say(_extended(before, recipe))
    return facts


def _check_empty(folder: Path) -> None:
    """Refuse a folder with somebody else's files; those of a run that saved nothing yet may be there."""
    if not folder.exists() or (folder / "run.json").exists():
        return
    if other := [
        one for one in folder.iterdir() if not (unfinished(one) or is_lock(one) or one.name in _EARLY)
    ]:
        raise HornbookError(
            f"{folder}: this folder isn't empty and holds no run, but {min(other).name}: choose another with "
            "--set out=..."
        )


def _differences(before: Recipe, recipe: Recipe) -> list[str]:
    """Name the values that differ."""
    there, here = _flat(before.model_dump(mode="json")), _flat(recipe.model_dump(mode="json"))
    return [one for one in dict.fromkeys([*there, *here]) if there.get(one) != here.get(one)]


def _same_at_first(before: Sequence[ResolvedPhase], now: Sequence[ResolvedPhase]) -> bool:
    """Tell whether longer phases begin with the shorter ones, of which the last may go on."""
    *same, last = before
    if list(now[: len(same)]) != same or len(now) < len(before):
        return False
    goes_on = now[len(same)]
    return goes_on[::2] == last[::2] and goes_on.steps >= last.steps


def _ended(folder: Path, steps: int) -> bool:
    """Tell whether a run came to its end: it has a model, or a checkpoint of its last step."""
    return (folder / "model").exists() or any(
        one.name == f"step-{steps:08d}" for one in newest_first(folder / "checkpoints")
    )


def _set_aside(folder: Path, steps: int) -> None:
    """Move what a finished run has to earlier/step-N, where it stays."""
    place = folder / "earlier" / f"step-{steps:08d}"
    place.mkdir(parents=True, exist_ok=True)
    for name in _RESULTS:
        if (folder / name).exists() and not (place / name).exists():
            shutil.move(folder / name, place / name)


def _extended(before: Recipe, recipe: Recipe) -> str:
    """Say what the schedule means when a run is extended."""
    first = before.training.steps
    rates = learning_rate(before.training, first - 1), learning_rate(recipe.training, first)
    return (
        f"{recipe.name}: extended from {first:,} to {recipe.training.steps:,} steps: from step {first + 1:,} on the "
        f"learning rate is that of a run of {recipe.training.steps:,} steps, and goes from {rates[0]:.3g} to "
        f"{rates[1]:.3g} there; what the run had is in {recipe.folder / 'earlier'}"
    )


def _flat(values: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Flatten nested tables to `section.key` names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{place}{name}.") if isinstance(value, dict) else {f"{place}{name}": value}
    return flat
