"""Where a token stands in its text: the schemes that a recipe can choose, and how a model gets one.

A table is transformers' own, learned or fixed (`tables.py`). Rotary positions and ALiBi have none
(`modeling_positions.py`, which goes into the model's folder).
"""

from typing import Any, Literal, cast

from transformers import PretrainedConfig, PreTrainedModel

from hornbook.families.positions.modeling_positions import placed

Scheme = Literal["learned", "sinusoidal", "rotary", "alibi", "none", "relative"]

CHANGEABLE: tuple[Scheme, ...] = ("learned", "sinusoidal", "rotary", "alibi", "none")
"""What can be had where the architecture has a learned table."""
TABLES = ("learned", "sinusoidal", "none")
"""The schemes that are a position table of the architecture's own class."""
KEY = "positions"
"""Where a configuration says which scheme it has, if it isn't the architecture's own."""


def scheme_of(config: PretrainedConfig | None) -> str | None:
    """Give the scheme that a configuration names; None where it is the architecture's own."""
    told: Any = getattr(config, KEY, None)
    return str(told["scheme"]) if isinstance(told, dict) and "scheme" in told else None


def has_table(config: PretrainedConfig | None) -> bool:
    """Tell whether the scheme that a configuration names leaves the architecture its position table."""
    return scheme_of(config) in (None, *TABLES)


def class_for(model_class: type[PreTrainedModel], config: PretrainedConfig) -> type[PreTrainedModel]:
    """Give the class that a configuration is for: transformers' own, without its position table where it has none."""
    without: Any = placed  # mypy takes a class for something that has no hash
    return model_class if has_table(config) else cast(type[PreTrainedModel], without(model_class))
