"""All checks, as one test for pytest that runs each of them on each case."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from hornbook.testing.batches import batches
from hornbook.testing.case import Case, Twin, cases
from hornbook.testing.doctor import doctor
from hornbook.testing.documents import document_mask
from hornbook.testing.examples import one_example
from hornbook.testing.folders import folder_round_trip
from hornbook.testing.gradients import bf16, loss_and_gradients
from hornbook.testing.losses import CLASS_LOSSES, ClassLoss
from hornbook.testing.measures import measures
from hornbook.testing.models import positions, weights
from hornbook.testing.processes import two_processes, two_shards
from hornbook.testing.runs import exact_resume, exact_resume_bf16
from hornbook.testing.samples import samples
from hornbook.testing.twins import TWINS

Check = Callable[[Case, Path], None]

CHECKS: tuple[Check, ...] = (
    batches,
    loss_and_gradients,
    bf16,
    document_mask,
    one_example,
    measures,
    samples,
    exact_resume,
    exact_resume_bf16,
)
"""What is asked of a family with each objective; a check gets an empty folder to write into."""

FAMILY_CHECKS: tuple[Check, ...] = (weights, positions, folder_round_trip, doctor, two_processes, two_shards)
"""What is asked of each head of a family, with the first objective that it serves."""


def conformance(
    families: Collection[str] | None = None,
    objectives: Collection[str] | None = None,
    *,
    checks: Collection[Check] | None = None,
    class_losses: Mapping[str, ClassLoss] | None = None,
    twins: Mapping[str, Twin] | None = None,
    marks: Mapping[Check, Any] | None = None,
) -> Callable[..., None]:
    """Make a test that asks everything of all registered families and objectives, or of those that are named.

    `checks` are all of `CHECKS` and `FAMILY_CHECKS`, or some of them. `class_losses` has, for a head that isn't a
    language model's, what its Hugging Face class itself says of a batch (see `ClassLoss`). `twins` are those of one's
    own measures, and `marks` pytest's marks for some checks, such as `{two_processes: pytest.mark.slow}`. Needs pytest,
    and raises ImportError without it.
    """
    import pytest

    parameters, heads = [], set()
    losses = {**CLASS_LOSSES, **(class_losses or {})}
    for case in cases(families, objectives, class_losses=losses, twins={**TWINS, **(twins or {})}):
        head = case.preset, case.objective.head
        for check in CHECKS if head in heads else (*CHECKS, *FAMILY_CHECKS):
            if checks is not None and check not in checks:
                continue
            marked = (marks or {}).get(check, ())
            parameters.append(pytest.param(check, case, id=f"{case}-{check.__name__}", marks=marked))
        heads.add(head)

    @pytest.mark.parametrize(("check", "case"), parameters)
    def test_conformance(check: Check, case: Case, tmp_path: Path) -> None:
        check(case, tmp_path)

    return test_conformance
