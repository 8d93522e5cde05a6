"""Write down what it takes to repeat a run."""

import hashlib
import platform
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hornbook.atomic import beside
from hornbook.errors import Damaged, HornbookError
from hornbook.families.custom import Custom
from hornbook.launch import command
from hornbook.machine import Choice, cores, describe, device_name, processor
from hornbook.report.card import write_card
from hornbook.reporter import Reporter
from hornbook.sealed import write_sealed
from hornbook.store.boundaries import rules
from hornbook.tokenizers import tokenizer_hash
from hornbook.training.bits import bits_depend_on, not_the_same
from hornbook.training.from_model import origin
from hornbook.training.phases import describe_phases
from hornbook.training.prepare import PreparedRun

_LIBRARIES = [
    "hornbook",
    "torch",
    "transformers",
    "tokenizers",
    "datasets",
    "accelerate",
    "numpy",
    "safetensors",
]

Share = dict[str, int]
"""How many processes share a run, and whether its model is sharded."""


def record(
    run: PreparedRun, choices: Sequence[Choice], parameters: int, share: Share, first: int, report: Reporter
) -> None:
    """Write down what it takes to repeat the run: the recipe, versions, machine and its choices, hashes and counts.

    A run that was resumed after `first` steps warns if a condition of its exact bits has changed, such as the number of
    threads. `share` is what `shared_by` gives. Raises HornbookError if the corpus or the tokenizer has changed.
    """
    recipe, family = run.recipe, run.recipe.model.family
    divided = recipe.objective.words or recipe.objective.sentences
    boundaries = {"rules of words and sentences": rules()} if divided else {}
    chosen = {choice.name: choice for choice in choices}
    facts: dict[str, Any] = {
        "name": recipe.name,
        "family": family.name,
        "preset": family.shown(recipe.model.size) if isinstance(family, Custom) else recipe.model.preset,
        "objective": recipe.objective.name,
        "head": recipe.objective.head,
        "parameters": parameters,
        "tokenizer": {
            "kind": type(run.tokenizer.backend_tokenizer.model).__name__,
            "vocab_size": len(run.tokenizer),
            "hash": tokenizer_hash(run.tokenizer),
        },
        "corpus": {
            "name": recipe.corpus.describe(),
            "fingerprint": _text(run),
            "source": recipe.corpus.fingerprint(),
            "tokens": {"train": run.train.hash, "heldout": run.heldout.hash},
            "train": run.train.counts(),
            "heldout": run.heldout.counts(),
        },
        "seed": recipe.seed,
        "length": recipe.model.length,
        "batch": recipe.training.batch,
        "steps": recipe.training.steps,
        "phases": describe_phases(recipe, run.config),
        "precision": {"chosen": chosen["precision"].chosen, "why": chosen["precision"].why},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES},
        "machine": {
            "processor": processor(),
            "cores": cores(),
            "threads": int(chosen["threads"].chosen),
            "processes": share["processes"],
            "device": device_name(),
            "system": f"{platform.system()} {platform.machine()}",
            "choices": describe(choices),
        },
        "began_with": bits_depend_on(choices, share["processes"]) | boundaries,
        "processes": [{"from_step": 0, **share}],
        "command": command(),
        "values": recipe.model_dump(mode="json"),
    }
    if isinstance(family, Custom):
        facts["code"] = family.source.facts
    if recipe.model.begun_from and not first:
        facts["from"] = origin(recipe)
    if before := run.began:
        _check_same(run.folder, before, facts)
        if first:
            trains = first < recipe.training.steps
            facts["processes"] = _processes(before, first, share, trains)
            earlier = dict.fromkeys(boundaries, "Hornbook's own")  # before it took ICU's
            now, facts["began_with"] = facts["began_with"], earlier | began_with(before)
            if trains and (warning := not_the_same(facts["began_with"], now)):
                report.warn(f"{run.folder}: {warning}")
        if first and "from" in before:
            facts["from"] = before["from"]
        facts["extended"] = _extended(before, recipe.training.steps)
    write_sealed(run.folder / "run.json", facts)
    with beside(run.folder / "recipe.yaml") as file:
        file.write_text(recipe.to_yaml(), "utf-8")
    with suppress(Damaged):  # damaged figures are measured anew at the end, where the card is written again
        write_card(run.folder)


def _text(run: PreparedRun) -> str:
    """Hash the text of both parts: runs with the same hash were trained and measured on the same text."""
    return hashlib.sha256(f"{run.train.text}\n{run.heldout.text}".encode()).hexdigest()


def _check_same(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise HornbookError where the run's tokenizer or its text are others than at its beginning."""
    was, found = before["corpus"], now["corpus"]
    if "tokens" not in was and was["fingerprint"] != found["source"]:
        raise HornbookError(
            f"{folder}: this run was begun by an older Hornbook, which knew a corpus by its options and its files' "
            f"paths, sizes and times; their hash was {was['fingerprint'][:12]} and is now {found['source'][:12]}: put "
            "the same files back where they were, with their times, or begin another run with --set out=..."
        )
    same = "tokens" not in was or was["tokens"] == found["tokens"]
    texts = was["fingerprint"], found["fingerprint"]
    hashes = before["tokenizer"]["hash"], now["tokenizer"]["hash"]
    for what, unchanged, (there, here) in (
        ("tokenizer", hashes[0] == hashes[1], hashes),
        ("corpus", same, texts),
    ):
        if unchanged:
            continue
        read = (
            " (the text is the same, but is read otherwise: see corpus.special_tokens)"
            if there == here
            else ""
        )
        raise HornbookError(
            f"{folder}: this run began with {what} {there[:12]}, now it is {here[:12]}{read}: bring back the old one, "
            "or begin another run with --set out=..."
        )


def _extended(before: dict[str, Any], steps: int) -> list[dict[str, int]]:
    """List from which step on a finished run was extended, and to how many steps."""
    found = list(before.get("extended", []))
    if steps > before["steps"]:
        found.append({"from_step": before["steps"], "steps": steps})
    return found


def began_with(facts: dict[str, Any]) -> dict[str, str]:
    """Read the conditions under which a run began; an older Hornbook wrote down only some of them."""
    return facts.get("began_with") or {
        "precision": facts["precision"]["chosen"],
        "threads": str(facts["machine"]["threads"]),
        "torch release": facts["versions"]["torch"],
    }


def shared_by(processes: int, sharded: bool) -> Share:
    """Say how many processes share a run, and whether each of them has a part of the model alone."""
    return {"processes": processes} | ({"sharded": True} if sharded else {})


def _processes(facts: dict[str, Any], first: int, share: Share, trains: bool) -> list[Share]:
    """List how many processes took the steps, and from which step on; `trains` tells whether more steps follow."""
    began = {"from_step": 0, "processes": facts["machine"]["processes"]}  # as an older Hornbook wrote it down
    found = [one for one in facts.get("processes", [began]) if one["from_step"] < first]
    if trains and found[-1] | {"from_step": first} != {"from_step": first, **share}:
        found.append({"from_step": first, **share})
    return found
