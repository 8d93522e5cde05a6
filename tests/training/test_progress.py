"""What is told where there is no terminal."""

from collections.abc import Iterator

import pytest

from hornbook.training import progress
from hornbook.training.progress import Reporter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


def test_shares_speak_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter().shares() as tell:
        for minute in range(1, 5):
            for second in (0, 5, 10):
                clock[0] = 60.0 * minute + second
                tell("Scoring", minute / 8)
    told = capsys.readouterr()
    assert told.err.splitlines() == ["Scoring: 12 %", "Scoring: 25 %", "Scoring: 38 %", "Scoring: 50 %"]
    assert told.out == ""


def test_steps_speak_now_and_then_and_at_the_end(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Reporter().steps("Training", 10, 50) as reach:
        for step, now in ((20, 10.0), (30, 20.0), (40, 30.0), (50, 40.0)):
            clock[0] = now
            reach(step, "loss 1.000")
    assert capsys.readouterr().err.splitlines() == [
        "Training: step 30 of 50, loss 1.000, 0.3 min left",
        "Training: step 50 of 50, loss 1.000, 0.0 min left",
    ]


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    Reporter(silent=True).warn("nothing")
    assert capsys.readouterr().err == ""
