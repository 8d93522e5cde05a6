"""What a class of a user's own declares: a dictionary in its attribute `hornbook`."""

import inspect
from collections.abc import Mapping
from inspect import get_annotations
from typing import Any

from torch import nn

from hornbook.errors import HornbookError, nearest
from hornbook.families.custom.source import Source
from hornbook.families.family import Family

DECLARES = "hornbook"
"""The attribute of a user's class that holds what it declares: a dictionary."""

MORE = {
    "head": "the head that it serves, such as 'causal' or 'masked'",
    "gives": "what forward gives: 'logits' or 'hidden'",
    "output": "the name of the layer that turns hidden states into logits, where forward gives hidden states",
    "same_as_parent": "values of the configuration under which it computes what its parent class does",
}
"""What a class can declare besides the attributes of `Family`."""


def declarations(source: Source) -> dict[str, Any]:
    """Collect what a class and those that it inherits from declare. Raises HornbookError for an unknown name."""
    declared: dict[str, Any] = {}
    for kind in reversed(source.found.__mro__):
        found = vars(kind).get(DECLARES, {})
        if not isinstance(found, dict):
            raise HornbookError(
                f"{source.path}: {DECLARES} in {kind.__name__} is {found!r:.60}, and has to be a dictionary"
            )
        declared |= found
    known = [*get_annotations(Family), *MORE]
    for name in declared:
        if name not in known:
            raise HornbookError(
                f"{source.path}: {DECLARES} declares {name!r}, which nobody reads{nearest(name, known)}"
            )
    if declared.get("gives", "hidden") not in ("hidden", "logits"):
        raise HornbookError(
            f"{source.path}: {DECLARES} declares gives {declared['gives']!r}: choose 'hidden' or 'logits'"
        )
    return declared


def needed(where: str, declared: Mapping[str, Any], **wanted: str) -> None:
    """Raise HornbookError that names all that a class has to declare and doesn't."""
    missing = {name: told for name, told in wanted.items() if name not in declared}
    if missing:
        listed = "; ".join(f"{name!r}, {told}" for name, told in missing.items())
        line = ", ".join(f"{name!r}: ..." for name in missing)
        raise HornbookError(
            f"{where} doesn't declare {listed}. Nothing of it is guessed, so declare it in the class: "
            f"{DECLARES} = {{{line}}}"
        )


def taken(found: type[nn.Module], names: frozenset[str]) -> frozenset[str]:
    """Give those of these names that `forward` takes; all where it has a **kwargs, which hands them on."""
    parameters = inspect.signature(found.forward).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
        return names
    return names & parameters.keys()
