"""What a study found, as plain values: the arms' figures at each seed, the answers, and all it takes to repeat it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hornbook.errors import HornbookError
from hornbook.recipe import Recipe
from hornbook.sealed import read_sealed
from hornbook.studies.answer import Values, answer, unequal_size, uneven
from hornbook.studies.column import StudyColumn, columns
from hornbook.studies.figure import Figure
from hornbook.studies.study import Design


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
    names = list(design.arms)
    of_runs = [
        (arm, found[run.name])
        for number, arm in enumerate(names)
        for run in recipes[number :: len(names)]
        if run in done
    ]
    described = columns(figures, names, of_runs)
    facts = {
        recipe.name: read_sealed(recipe.folder / "run.json", "train it again to restore it")
        for recipe in done
    }
    arms: dict[str, dict[str, Any]] = {}
    firsts: dict[str, dict[str, Any]] = {}
    for number, (arm, changes) in enumerate(design.arms.items()):
        runs = recipes[number :: len(design.arms)]
        finished = [run for run in runs if run in done]
        if finished:
            firsts[arm] = facts[finished[0].name]
        last = [found[run.name]["curve"][-1] for run in finished]
        arms[arm] = {
            "changes": changes,
            "runs": [str(run.folder) for run in runs],
            "steps": last[0]["step"] if last else None,
            "tokens": last[0]["tokens"] if last else None,
            "parameters": facts[finished[0].name]["parameters"] if finished else None,
            "seconds": [found[run.name]["curve"][-1]["seconds"] if run in done else None for run in runs],
            "values": {name: [_value(found[run.name], name) for run in runs] for name in described},
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
        "remarks": [
            *_failures(arms),
            *(uneven(seconds) if study.seconds else []),
            *unequal_size(sizes),
            *_unlike(described, study.compared()),
            *_other_texts(firsts),
        ],
        "figures": {name: asdict(column) for name, column in described.items()},
        "arms": arms,
        "answers": [
            asdict(one)
            for name, column in described.items()
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


def _unlike(described: Mapping[str, StudyColumn], compared: Mapping[str, str]) -> list[str]:
    """Tell where arms are compared in a figure that two rules gave."""
    found = []
    for name, column in described.items():
        of_arm = {arm: rule for rule in column.rules for arm in rule.arms}
        pairs = [
            f"{arm} with {base}"
            for arm, base in compared.items()
            if {arm, base} <= of_arm.keys() and of_arm[arm] is not of_arm[base]
        ]
        if pairs:
            found.append(
                f"{name} has another rule in arms that are compared ({', '.join(pairs)}): its differences may be the "
                "rules’; against in the study’s file says which arms are compared."
            )
    return found


def _other_texts(facts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Tell where arms are judged on held-out texts that differ."""
    found = {
        arm: (one["corpus"]["heldout"]["documents"], one["corpus"]["heldout"]["bytes"])
        for arm, one in facts.items()
    }
    if len(set(found.values())) == 1:
        return []
    told = ", ".join(f"{arm} {size:,} bytes" for arm, (_, size) in found.items())
    advice = "figures on them compare only on one text: name it for all arms with corpus.heldout"
    return [f"The arms’ held-out texts differ ({told}), and {advice}."]
