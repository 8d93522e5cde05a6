"""An exact resume with every optimizer in fp32 and in bf16; `hornbook.testing` has AdamW with every objective.

Precision is forced by the recipe, so that every machine runs both: where there are no units for bf16, PyTorch emulates
them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hornbook.testing import Case, cases
from hornbook.testing.runs import resume


def every_case() -> Iterator[Any]:
    """Give every combination; those of an objective that isn't a family's first are slow."""
    seen = set()
    for case in cases():
        marks = [pytest.mark.slow] if case.preset in seen else []
        seen.add(case.preset)
        for optimizer in ("adafactor", "muon"):
            for dropout in (0.0, 0.1):
                for precision in ("fp32", "bf16"):
                    name = f"{case}-{optimizer}-{dropout}-{precision}"
                    yield pytest.param(case, optimizer, dropout, precision, id=name, marks=marks)


@pytest.mark.parametrize(("case", "optimizer", "dropout", "precision"), every_case())
def test_a_run_goes_on_to_the_same_bits(
    case: Case, optimizer: str, dropout: float, precision: str, tmp_path: Path
) -> None:
    resume(case, tmp_path / "run", dropout, optimizer=optimizer, precision=precision)
