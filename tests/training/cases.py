"""Every objective in every family that serves it, in each of its forms: a new one of either joins by itself."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from torch import Tensor

from hornbook.families import FAMILIES, Family
from hornbook.objectives import served

FORMS: dict[str, list[dict[str, Any]]] = {
    "causal": [{}, {"document_mask": True}],
    "masked": [{}, {"duplicates": 2}, {"whole_words": True, "exact": True}],
}
"""Options under which an objective draws other numbers; objectives that aren't here have one form."""


def model_of(family: Family, dropout: float = 0.1) -> dict[str, Any]:
    """Shrink a family's first preset, and let it drop that share of whatever it can."""
    known = {field.name for field in fields(family.config_class)}
    return {
        "preset": next(iter(family.presets)),
        "length": 32,
        "config": family.tiny | {name: dropout for name in known if "drop" in name},
    }


def objectives_of(family: Family) -> list[str]:
    """Name the objectives that a family's shrunken model serves."""
    model = model_of(family)
    return served(family, {**family.presets[model["preset"]].values, **model["config"]})


def weights_of(folder: Path) -> dict[str, Tensor]:
    """Read all weights of a model's folder, and of models in it."""
    files = sorted(folder.rglob("model.safetensors"))
    return {
        f"{file.relative_to(folder)} {name}": one for file in files for name, one in load_file(file).items()
    }


def every_case() -> Iterator[Any]:
    """Give a model and an objective for each test, named after them."""
    for family in FAMILIES.values():
        model = model_of(family)
        for name in objectives_of(family):
            for form in FORMS.get(name, [{}]):
                yield pytest.param(
                    model, {"name": name, **form}, id=f"{family.name}-{'-'.join([name, *form])}"
                )
