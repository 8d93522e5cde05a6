"""A column of a study's table: how its figures were computed, in which arms, and over what."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hornbook.evaluation.measure import BITS, NATS
from hornbook.studies.figure import Figure

_FIRST = " (The numbers in these words are the first run's.)"


@dataclass(frozen=True)
class Rule:
    """How the figures of some arms were computed."""

    arms: tuple[str, ...]
    text: str
    over: str
    """What they are over, and of how large a sample; empty for the study's own figures."""
    baseline: float | None
    """What always giving the most frequent label would get, or word frequencies alone."""

    @property
    def words(self) -> str:
        """The whole of it, in sentences."""
        return f"{self.text} Over {self.over}." if self.over else self.text


@dataclass(frozen=True)
class StudyColumn:
    """A figure of the table: what its values are."""

    unit: str
    lower: bool
    """Whether lower values are better."""
    rules: tuple[Rule, ...]
    """More than one where the arms' rules differ in their words: such figures don't compare."""
    objective: str
    """How it was computed, in words: each rule with its arms."""


def columns(
    figures: Mapping[str, Figure], arms: Sequence[str], found: Sequence[tuple[str, dict[str, Any]]]
) -> dict[str, StudyColumn]:
    """Describe the study's own figures, then those of the measures; `found` has each run's arm and figures."""
    described = {
        name: _column(figure.unit, figure.lower, [Rule(tuple(arms), figure.objective.describe(), "", None)])
        for name, figure in figures.items()
    }
    rules: dict[str, dict[str, Rule]] = {}
    units: dict[str, str] = {}
    for arm, run in found:
        for measure in run["measures"]:
            for one in measure["found"]:
                units.setdefault(one["measure"], one["unit"])
                _add(rules.setdefault(one["measure"], {}), _rule(arm, one, measure["asked"].get("limit")))
    return described | {
        name: _column(unit, unit in (BITS, NATS, "MiB"), list(rules[name].values()))
        for name, unit in units.items()
    }


def _rule(arm: str, figure: Mapping[str, Any], limit: int | None) -> Rule:
    over = figure["over"] + (f", a sample (limit: {limit:,})" if limit else "")
    return Rule((arm,), figure["rule"], over, figure.get("baseline"))


def _add(known: dict[str, Rule], new: Rule) -> None:
    """Add a run's rule to those that are known by their words; a rule may count what one run did."""
    words = re.sub(r"[-−]?\d[\d.,]*", "0", new.words)
    if words not in known:
        known[words] = new
        return
    old = known[words]
    arms = tuple(dict.fromkeys([*old.arms, *new.arms]))
    first = _FIRST if new.text != old.text and not old.text.endswith(_FIRST) else ""
    known[words] = replace(old, arms=arms, text=old.text + first)


def _column(unit: str, lower: bool, rules: Sequence[Rule]) -> StudyColumn:
    several = len(rules) > 1
    told = [f"{', '.join(rule.arms)}: {rule.words}" if several else rule.words for rule in rules]
    return StudyColumn(unit, lower, tuple(rules), " ".join(told))
