"""A published size of a family."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedModel


@dataclass(frozen=True)
class Preset:
    """One published size of a family."""

    values: Mapping[str, Any]
    """The published values, under the config class's names; without vocabulary, ids and positions."""
    source: str
    """Where the values are published."""
    vocab_size: int
    """Entries of the published vocabulary."""
    positions: int
    """Tokens that the published model takes at once."""
    parameters: int | None = None
    """Parameters as published, shared ones counted once; None where no exact figure is published."""
    counted: type[PreTrainedModel] | None = None
    """The class whose parameters were counted."""
    pad: int = 0
    """The id of padding in the published vocabulary; 0 where it has none."""
