"""Model families: published sizes, made to fit a tokenizer, as plain Hugging Face models.

A new family is one file and one entry point (`hornbook.families`), in this package or in any other.
"""

from functools import cache
from typing import Any

from hornbook.errors import HornbookError, nearest
from hornbook.families.family import Family, Head
from hornbook.families.preset import Preset
from hornbook.registry import Registry, check_declared
from hornbook.tokenizers import STYLES

__all__ = ["FAMILIES", "PRESETS", "TYPES", "Family", "Head", "Preset", "family_of", "find"]


def _accept(name: str, found: Any) -> Family:
    """Check what is declared, and make the styles known that the family brings along."""
    check_declared("family", name, found, Family)
    if taken := [style for style, look in found.styles.items() if STYLES.get(style, look) != look]:
        raise HornbookError(
            f"the family {name} brings a style {taken[0]}, and there is another one of that name: give it a new name"
        )
    STYLES.update(found.styles)
    if found.style not in STYLES:
        raise HornbookError(
            f"the family {name} has the style {found.style!r}, which nothing declares: name one of "
            f"{', '.join(STYLES)}, or declare it in {found.__name__}.styles"
        )
    family: Family = found()
    return family


FAMILIES: Registry[Family] = Registry("hornbook.families", "family", _accept)
PRESETS: dict[str, Family]
"""The family of each preset."""
TYPES: dict[str, Family]
"""The family of each model_type. If several share one, it is the one of that name: ALBERT, not RoBERTAlbert."""


@cache
def _presets() -> dict[str, Family]:
    return {preset: family for family in FAMILIES.values() for preset in family.presets}


@cache
def _types() -> dict[str, Family]:
    found = sorted(FAMILIES.values(), key=lambda family: family.name == family.config_class.model_type)
    return {family.config_class.model_type: family for family in found}


def __getattr__(name: str) -> Any:
    """Make PRESETS and TYPES at their first use: another package's family imports this module before it is complete."""
    made = {"PRESETS": _presets, "TYPES": _types}.get(name)
    if made is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return made()


def family_of(model_type: str | None) -> Family | None:
    """Give the family whose declarations hold for a model type of transformers; None if none is known.

    A relative gets its family, with the declarations that differ for it.
    """
    if model_type in _types():
        return _types()[model_type]
    for family in FAMILIES.values():
        if model_type in family.relatives:
            return type(model_type, (type(family),), family.relatives[model_type])()
    return None


def find(preset: str) -> Family:
    """Give the family that has `preset`; raises HornbookError with the nearest name where none has."""
    if preset not in _presets():
        raise HornbookError(f"there is no preset {preset!r}{nearest(preset, list(_presets()))}")
    return _presets()[preset]
