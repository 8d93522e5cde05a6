"""The contract between tokenizer, architecture and objective: checks that find what doesn't fit, and say why."""

from hornbook.contract import checks
from hornbook.contract.check import CHECKS, Check, Found, Problem, Report
from hornbook.contract.doctor import check_batch, check_run, examine, mend, probe_learning, probe_module

__all__ = [
    "CHECKS",
    "Check",
    "Found",
    "Problem",
    "Report",
    "check_batch",
    "check_run",
    "checks",
    "examine",
    "mend",
    "probe_learning",
    "probe_module",
]

# A check can silence later ones that would report the same problem, so probes ("P") run last.
_sorted = dict(sorted(CHECKS.items()))
CHECKS.clear()
CHECKS.update(_sorted)
