"""The numbers of a config.json, before anything is made of them: none may be beyond what any model has."""

import re
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError

_DEEPEST = 50
"""How deep tables and lists may be nested; published ones have about five levels."""
_BOUNDS = (
    (re.compile(r"layers?$|depth|_types$|blocks$|stages$|groups?(_num)?$"), 512),
    (re.compile(r"head|expert|label"), 2**16),
    (re.compile(r"size|dim|^d_|^n_|^num_|position|embd|window|bucket|rank"), 2**24),
)
"""The largest number that a key may hold: the first pattern that matches counts. Each is several times what published
models have."""


def check_sizes(config: dict[str, Any], where: Path) -> None:
    """Refuse numbers that no model has, which would take all memory or time before a weight is looked at.

    Raises HornbookError with the key, the number and the bound, and for JSON that is nested too deeply.
    """
    left: list[tuple[str, Any, int]] = [("", config, 0)]
    while left:
        key, value, depth = left.pop()
        if depth > _DEEPEST:
            raise HornbookError(
                f"{where}: more than {_DEEPEST} tables and lists stand in each other: copy it again"
            )
        if isinstance(value, dict):
            left += [(str(name), inner, depth + 1) for name, inner in value.items()]
        elif key == "model_max_length" and not (isinstance(value, int | float) and value >= 1):
            raise HornbookError(f"{where}: its {key} is {value!r:.40}: write how many tokens the model takes")
        elif isinstance(value, list):
            left += [(key, inner, depth + 1) for inner in value]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            most = next((bound for pattern, bound in _BOUNDS if pattern.search(key)), None)
            if most is not None and not abs(value) <= most and not key.endswith("_id"):
                raise HornbookError(
                    f"{where}: its {key} is {value:,}, and at most {most:,} is opened: check that the file "
                    "is the model's"
                )
