"""What a test costs: `--fast` leaves the dear ones out, and a run tells which tests have become dear unmarked."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

LONG = 2.0
"""Seconds of processor time from which on a test is marked `long`."""
_LEFT_OUT = {"long", "slow", "gpu"}
_BEGUN = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast", action="store_true", help="one case of each test, and none that is marked long, slow or gpu"
    )


@pytest.hookimpl(trylast=True)  # after -k and -m, so that the one case is one that they chose
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("fast"):
        return
    kept: dict[str, pytest.Item] = {}
    for item in items:
        if not _LEFT_OUT.intersection(item.keywords):
            kept.setdefault(item.nodeid.partition("[")[0], item)
    chosen = set(kept.values())
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = kept.values()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    item.stash[_BEGUN] = _spent()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    finally:
        item.user_properties.append(("seconds", _spent() - item.stash[_BEGUN]))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    took = {
        report.nodeid: dict(report.user_properties)["seconds"]
        for report in terminalreporter.getreports("passed")
        if report.when == "call" and not _LEFT_OUT.intersection(report.keywords)
    }
    for test, seconds in sorted(took.items()):
        if seconds > LONG:
            terminalreporter.line(
                f"{test} took {seconds:.1f} s of processor time: mark it long (tests/costs.py)"
            )


def _spent() -> float:
    """Count the seconds that this process and its children have computed, which other load changes by half at most."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
