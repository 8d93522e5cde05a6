"""The schemes of positions (`model.positions` in a recipe), and how a model gets one.

A table is transformers' own, learned or fixed (`tables.py`). Rotary positions and ALiBi have none
(`modeling_positions.py`, which goes into the model's folder).
"""

from typing import Any, Literal, cast

from transformers import PretrainedConfig, PreTrainedModel

from hornbook.families.positions.modeling_positions import placed

Scheme = Literal["learned", "sinusoidal", "rotary", "alibi", "none", "relative"]

CHANGEABLE: tuple[Scheme, ...] = ("learned", "sinusoidal", "rotary", "alibi", "none")
"""The schemes of an architecture that has a learned table; others have their own scheme alone."""
TABLES = ("learned", "sinusoidal", "none")
"""The schemes that leave the architecture its position table: learned, of sinusoids, or of zeros."""
SCHEME_KEY = "positions"
"""The config.json key of the scheme, where it isn't the architecture's own."""


def scheme_of(config: PretrainedConfig | None) -> str | None:
    """Give the scheme that a configuration names; None where it is the architecture's own."""
    told: Any = getattr(config, SCHEME_KEY, None)
    return str(told["scheme"]) if isinstance(told, dict) and "scheme" in told else None


def has_table(config: PretrainedConfig | None) -> bool:
    """Tell whether the scheme that a configuration names leaves the architecture its position table."""
    return scheme_of(config) in (None, *TABLES)


def class_for(model_class: type[PreTrainedModel], config: PretrainedConfig) -> type[PreTrainedModel]:
    """Give the class that a configuration is for: transformers' own, or the same without its position table."""
    without_table: Any = placed  # Any, as mypy thinks that a class can't be the key of `functools.cache`
    return model_class if has_table(config) else cast(type[PreTrainedModel], without_table(model_class))
