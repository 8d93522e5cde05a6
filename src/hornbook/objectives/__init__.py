"""Objectives: how batches are made from a text, and how their loss is computed.

A new objective is one file and one entry point (`hornbook.objectives`), in this package or in any other.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Union

from pydantic import Field

from hornbook.errors import HornbookError
from hornbook.families import Family, Head
from hornbook.objectives.objective import IGNORED, READING, Batch, Objective, Reading
from hornbook.objectives.vocabulary import Vocabulary
from hornbook.registry import Registry, check_declared

_MADE_BY = ("batch", "read", "targets", "loss")
_FOLLOWS = ("natural", "measures", "writes", "whole_text", "reading", "lesson")
_SHOWS = ("example", "arithmetic")
_GOES: dict[Any, Reading] = {"generate": "left to right", "unmask": "both ways", "infill": "both ways"}
"""The direction in which each way to write a sample reads the given text."""


def _accept(name: str, found: Any) -> type[Objective]:
    """Refuse a class that changes another objective's batches or loss but keeps what was declared about them."""
    check_declared("objective", name, found, Objective)
    others = (
        base for base in found.__mro__[1:] if issubclass(base, Objective) and "name" in base.model_fields
    )
    other = next(others, None)
    changed = [method for method in _MADE_BY if method in vars(found)]
    kept = [wanted for wanted in _FOLLOWS if wanted not in vars(found)]
    # What is shown of an example has to be what is learned from it.
    kept += [
        shown
        for shown in _SHOWS
        if shown not in vars(found) and getattr(found, shown) is not getattr(Objective, shown)
    ]
    if other and changed and kept:
        raise HornbookError(
            f"the objective {name} has its own {', '.join(changed)}, but inherits {', '.join(kept)} from "
            f"{other.__name__}, which may be wrong for it: declare {', '.join(kept)} in {found.__name__}"
        )
    if found.reading != (goes := _GOES.get(found.writes, found.reading)):
        raise HornbookError(
            f"the objective {name} reads {found.reading}, but writes {found.writes!r}, which reads {goes}: declare "
            f"writes = None in {found.__name__}"
        )
    objective: type[Objective] = found
    return objective


OBJECTIVES: Registry[type[Objective]] = Registry("hornbook.objectives", "objective", _accept)
AnyObjective: Any
"""The type of a recipe's objective: any that is registered."""


@cache
def _any_objective() -> Any:
    return Annotated[Union[tuple(OBJECTIVES.values())], Field(discriminator="name")]  # noqa: UP007


def __getattr__(name: str) -> Any:
    """Make AnyObjective at its first use: another package's objective imports this module before it is complete."""
    if name == "AnyObjective":
        return _any_objective()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "IGNORED",
    "OBJECTIVES",
    "READING",
    "AnyObjective",
    "Batch",
    "Objective",
    "Reading",
    "Vocabulary",
    "natural_objective",
    "served",
]


def natural_objective(head: Head) -> Objective:
    """Give the objective, with its default options, that most likely trained a model with this head.

    Raises HornbookError where no objective declares the head as its natural one.
    """
    found = next((kind for kind in OBJECTIVES.values() if head in kind.natural), None)
    if found is None:
        raise HornbookError(
            f"no objective is the natural one for a {head} model: name one of {', '.join(OBJECTIVES)}"
        )
    return found()


def served(family: Family, values: Mapping[str, Any]) -> list[str]:
    """Name the objectives that a family's model can serve with these configuration values, natural ones first."""
    names = [name for name, objective in OBJECTIVES.items() if objective.refusal(family, values) is None]
    return sorted(names, key=lambda name: OBJECTIVES[name].natural.isdisjoint(family.heads))
