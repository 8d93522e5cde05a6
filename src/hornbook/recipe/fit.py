"""Defaults that one section of a recipe takes from another, and checks that the sections fit each other."""

import os
from contextlib import suppress
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hornbook.errors import HornbookError, nearest
from hornbook.families import PRESETS, Family
from hornbook.objectives import OBJECTIVES, AnyObjective, served
from hornbook.recipe.model import Model
from hornbook.recipe.training import Training
from hornbook.reporter import LOGGER
from hornbook.tokenizers import STYLES, TokenizerOptions

SECTIONS: dict[str, Any] = {
    "tokenizer": TokenizerOptions,
    "model": Model,
    "objective": AnyObjective,
    "training": Training,
}
"""The sections that have to fit each other."""


def resolve(given: dict[str, Any]) -> dict[str, Any]:
    """Fill in defaults: the folder from the name, an objective given only by its name, and the family's own choices."""
    given = dict(given)
    if isinstance(given.get("objective"), str):
        given["objective"] = {"name": given["objective"]}
    if not given.get("out"):
        given["out"] = f"runs/{given.get('name')}"
    tokenizer, model, objective = given.get("tokenizer", {}), given.get("model"), given.get("objective")
    if isinstance(model, dict) and model.get("from") and not tokenizer:
        tokenizer = given["tokenizer"] = {"path": tokenizer_beside(str(model["from"]))}
    family = PRESETS.get(str(model.get("preset"))) if isinstance(model, dict) else None
    if family and isinstance(model, dict) and not model.get("code"):
        given["model"] = model | {"positions": _scheme(family, model.get("positions"))}
    if family and isinstance(tokenizer, dict) and not tokenizer.get("path"):
        given["tokenizer"] = {"kind": family.kind, "style": family.style} | tokenizer
    if family and isinstance(objective, dict) and (kind := OBJECTIVES.get(str(objective.get("name")))):
        given["objective"] = kind.suited(family.heads) | objective
    return given


def tokenizer_beside(folder: str) -> str:
    """Say where the tokenizer of a trained model lies: in its folder, or its run's folder `model`."""
    return f"{folder}/model" if os.path.isdir(f"{folder}/model") else folder


def misfits(sections: dict[str, Any], run_code: bool = False) -> list[str]:
    """Return the problems between sections, as far as the sections that are given can be checked.

    What only a user's own class can tell is checked with `run_code` alone, since reading a recipe runs no code.
    """
    tokenizer, model, objective, training = (sections.get(name) for name in SECTIONS)
    problems = []
    family_known = model is not None and (run_code or not model.code)
    if model and model.code and model.positions:
        problems.append(
            f"model.positions: {model.code} itself says how it is told positions: remove model.positions"
        )
    if model and family_known:
        try:
            model.family.accept(model.config)
        except HornbookError as error:
            problems.append(f"model.config: {error}")
        if not model.code and model.positions not in (None, *(schemes := model.family.position_schemes)):
            problems.append(
                f"model.positions: {model.size} is a {model.family.name} model, whose positions can be "
                f"{' or '.join(schemes)}, not {model.positions}: leave this out, or take another preset"
            )
    if model and family_known and objective:
        values = {**model.family.presets[model.size].values, **model.config}
        a_model = f"{model.size} is a {model.family.name} model, which"
        if (why := type(objective).refusal(model.family, values)) is not None:
            problems.append(
                f"objective.name: {a_model} can't serve {objective.name}{f' ({why})' if why else ''}: choose "
                f"{' or '.join(served(model.family, values))}, or another preset"
            )
        elif model.family.refusal(objective.head, values) is not None:
            problems.append(f"objective.form: {a_model} has no {objective.form} form: remove objective.form")
        elif objective.restarts and "position_ids" not in model.family.inputs:
            problems.append(
                f"objective.document_mask: {a_model} can't keep documents apart by position_ids: remove "
                "objective.document_mask, or choose another preset"
            )
    if model and training:
        problems += [
            f"training.phases, entry {number}, length: {phase.length} is longer than model.length {model.length}: "
            "make model.length as long as the longest phase"
            for number, phase in enumerate(training.phases, 1)
            if phase.length > model.length
        ]
    if tokenizer and tokenizer.style and tokenizer.style not in STYLES:
        problems.append(
            f"tokenizer.style: there is no {tokenizer.style!r}{nearest(tokenizer.style, list(STYLES))}"
        )
    return problems


def sound_sections(given: dict[str, Any]) -> dict[str, Any]:
    """Return the sections that are valid by themselves, so that their misfits are told with the other problems."""
    given, sound = resolve(given), {}
    for name, section in SECTIONS.items():
        with suppress(ValidationError):
            sound[name] = TypeAdapter(section).validate_python(given.get(name))
    return sound


def _scheme(family: Family, given: Any) -> Any:
    """Give `model.positions` its default; older recipes have true or false there, for a table or none."""
    own = family.position_schemes[0]
    if isinstance(given, bool):
        scheme = own if given else "none"
        _tell_old_switch(given, scheme)
        return scheme
    return own if given is None else given


@cache
def _tell_old_switch(given: bool, scheme: str) -> None:
    """Log it once, however often a recipe is read."""
    old = str(given).lower()
    LOGGER.warning(
        f"model.positions: {old} is how older recipes say {scheme}: write model.positions: {scheme}"
    )
