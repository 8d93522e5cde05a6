"""Where everything should be installed, a test that is skipped for want of an extra or a browser fails instead.

`HORNBOOK_ALL=1` says so, as `make slow` does on the forge: a test that nobody runs can't fail. `HORNBOOK_ALL=eval` says
that this extra is installed, as `make harness` does.
"""

import os
import re
from collections.abc import Generator
from typing import Any

import pytest

WANTS = {
    "1": re.compile(r"pip install .?hornbook\[(test|notebooks|play|docs)\]|there is no chromium|Lightning"),
    "eval": re.compile(r"pip install .?hornbook\[eval\]"),
}
"""What a reason says, by the variable's value."""


def told(report: Any) -> Any:
    """Make a failure of a skip for want of something."""
    wants = WANTS.get(os.environ.get("HORNBOOK_ALL", ""))
    if wants and report.skipped and wants.search(str(report.longrepr)):
        report.outcome = "failed"
        report.longrepr = f"skipped although HORNBOOK_ALL is set: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    return told((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return told((yield))
