"""What is told where there is no terminal, and by bars where there is one."""

import io
import logging
from collections.abc import Iterator

import pytest
from rich.console import Console

from hornbook import console, reporter
from hornbook.console import make_reporter
from hornbook.reporter import Reporter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [0.0]
    monkeypatch.setattr(reporter.time, "perf_counter", lambda: now[0])
    return now


def test_shares_speak_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with make_reporter().shares() as tell:
        for minute in range(1, 5):
            for second in (0, 5, 10):
                clock[0] = 60.0 * minute + second
                tell("Scoring", minute / 8)
    told = capsys.readouterr()
    assert told.err.splitlines() == ["Scoring: 12 %", "Scoring: 25 %", "Scoring: 38 %", "Scoring: 50 %"]
    assert told.out == ""


def test_for_a_while_each_line_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    report = make_reporter()
    with report.each_once():
        for line in ("one text", "one text", "another"):
            report.say(line)
            report.warn(line + "?")
    report.say("one text")
    told = capsys.readouterr().err.splitlines()
    assert told == ["one text", "warning: one text?", "another", "warning: another?", "one text"]


def test_steps_speak_now_and_then_and_at_the_end(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with make_reporter().steps("Training", 10, 50) as reach:
        for step, now in ((20, 10.0), (30, 20.0), (40, 30.0), (50, 40.0)):
            clock[0] = now
            reach(step, "loss 1.000")
    assert capsys.readouterr().err.splitlines() == [
        "Training: step 30 of 50, loss 1.000, 0.3 min left",
        "Training: step 50 of 50, loss 1.000, 0.0 min left",
    ]


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    make_reporter(silent=True).warn("nothing")
    assert capsys.readouterr().err == ""


def test_a_library_logs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "hornbook"), Reporter().counting("Reading", "bytes") as advance:
        advance(12_345)
        Reporter().warn("short")
    assert [(one.levelname, one.name) for one in caplog.records] == [
        ("WARNING", "hornbook"),
        ("INFO", "hornbook"),
    ]
    assert caplog.messages[1].startswith("Reading: 12.3k bytes in ")


def test_a_terminal_has_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(console, "CONSOLE", Console(file=screen, force_terminal=True, width=100))
    report = make_reporter()
    with report.steps("Training", 0, 50) as reach:
        reach(50, "loss 1.000")
    with report.counting("Reading", "bytes") as advance:
        advance(2_000_000)
    with report.shares() as tell:
        tell("Scoring", 0.5)
    for shown in ("Training", "50/50", "loss 1.000", "2.0M bytes", "Scoring", " 50%"):
        assert shown in screen.getvalue()


def test_a_notebook_has_bars_where_it_can_draw_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "CONSOLE", Console(force_jupyter=True))
    for there in (True, False):
        monkeypatch.setattr(console, "find_spec", lambda name, there=there: there or None)
        assert console.reporter().bars == there
    monkeypatch.setattr(console.LOGGER, "handlers", [])
    monkeypatch.setattr(console, "CONSOLE", Console(file=io.StringIO()))
    assert not console.reporter().bars and not console.LOGGER.handlers  # neither: `logging` alone
