"""Where everything should be installed, a test that is skipped for want of an extra or a browser fails instead.

`HORNBOOK_ALL=1` says so, as `make slow` does on the forge: a test that nobody runs can't fail.
"""

import os
import re
from collections.abc import Generator
from typing import Any

import pytest

WANTS = re.compile(r"pip install .?hornbook\[(test|notebooks|play|docs)\]|there is no chromium|Lightning")


def told(report: Any) -> Any:
    """Make a failure of a skip for want of something."""
    if os.environ.get("HORNBOOK_ALL") and report.skipped and WANTS.search(str(report.longrepr)):
        report.outcome = "failed"
        report.longrepr = f"skipped although HORNBOOK_ALL is set: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    return told((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return told((yield))
