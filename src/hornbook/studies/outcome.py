"""What a study found, as plain values: the arms' figures at each seed, the answers, and all it takes to repeat it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from hornbook.errors import HornbookError
from hornbook.evaluation.measure import BITS, NATS
from hornbook.recipe import Recipe
from hornbook.sealed import read_sealed
from hornbook.studies.answer import Values, answer, unequal_size, uneven
from hornbook.studies.figure import Figure
from hornbook.studies.study import Design

_FIRST = " (The numbers in these words are the first run's.)"


@dataclass(frozen=True)
class Column:
    """A figure of the table: what its values are."""

    unit: str
    objective: str
    """How it was computed."""
    lower: bool
    """Whether lower values are better."""


def tell(
    design: Design, recipes: Sequence[Recipe], figures: Mapping[str, Figure], found: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Collect the runs' figures and the answers. Raises HornbookError if every run failed."""
    study = design.study
    done = [recipe for recipe in recipes if "failed" not in found[recipe.name]]
    if not done:
        raise HornbookError(
            f"all {len(recipes)} runs failed, the first with: {found[recipes[0].name]['failed']}"
        )
    columns = _columns(figures, [found[recipe.name] for recipe in done])
    facts = {
        recipe.name: read_sealed(recipe.folder / "run.json", "train it again to restore it")
        for recipe in done
    }
    arms: dict[str, dict[str, Any]] = {}
    for number, (arm, changes) in enumerate(design.arms.items()):
        runs = recipes[number :: len(design.arms)]
        finished = [run for run in runs if run in done]
        last = [found[run.name]["curve"][-1] for run in finished]
        arms[arm] = {
            "changes": changes,
            "runs": [str(run.folder) for run in runs],
            "steps": last[0]["step"] if last else None,
            "tokens": last[0]["tokens"] if last else None,
            "parameters": facts[finished[0].name]["parameters"] if finished else None,
            "seconds": [found[run.name]["curve"][-1]["seconds"] if run in done else None for run in runs],
            "values": {name: [_value(found[run.name], name) for run in runs] for name in columns},
            "curves": [found[run.name]["curve"] if run in done else [] for run in runs],
            "failed": {
                str(seed): found[run.name]["failed"] for seed, run in enumerate(runs) if run not in done
            },
        }
    seconds: dict[str, Values] = {arm: one["seconds"] for arm, one in arms.items()}
    sizes = {arm: one["parameters"] for arm, one in arms.items() if one["parameters"]}
    first = facts[done[0].name]
    return {
        "name": design.name,
        "question": study.question,
        "about": study.about,
        "equal_seconds": study.seconds,
        "equal_tokens": study.tokens,
        "remarks": [*_failures(arms), *(uneven(seconds) if study.seconds else []), *unequal_size(sizes)],
        "figures": {name: asdict(column) for name, column in columns.items()},
        "arms": arms,
        "answers": [
            asdict(one)
            for name, column in columns.items()
            for one in answer(
                name, column, {arm: arms[arm]["values"][name] for arm in arms}, study.compared()
            )
        ],
        "seeds": study.seeds,
        "settings": list(design.settings),
        "study": study.model_dump(mode="json", exclude_defaults=True),
        "base": design.given,
        "recipe": recipes[0].to_yaml(),
        **{name: first[name] for name in ("corpus", "tokenizer", "precision", "versions", "machine")},
        "code": {recipe.name: facts[recipe.name]["code"] for recipe in done if "code" in facts[recipe.name]},
    }


def _columns(figures: Mapping[str, Figure], found: Sequence[dict[str, Any]]) -> dict[str, Column]:
    """Describe the study's own figures, then those of its measures that the runs have."""
    columns = {
        name: Column(figure.unit, figure.objective.describe(), figure.lower)
        for name, figure in figures.items()
    }
    for run in found:
        for one in (one for asked in run["measures"] for one in asked["found"]):
            lower = one["unit"] in (BITS, NATS, "MiB")
            known = columns.setdefault(one["measure"], Column(one["unit"], one["rule"], lower))
            if one["rule"] != known.objective and not known.objective.endswith(_FIRST):
                columns[one["measure"]] = replace(known, objective=known.objective + _FIRST)
    return columns


def _value(run: dict[str, Any], name: str) -> float | None:
    """Return a run's figure; None where the run failed or hasn't this one."""
    if "failed" in run:
        return None
    if name in run["figures"]:
        return float(run["figures"][name])
    asked = {one["measure"]: one["value"] for asked in run["measures"] for one in asked["found"]}
    return asked.get(name)


def _failures(arms: Mapping[str, Any]) -> list[str]:
    return [
        f"{arm}, seed {seed} failed, and the same command tries it again: {why}"
        for arm, one in arms.items()
        for seed, why in one["failed"].items()
    ]
