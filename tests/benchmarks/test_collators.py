"""The benchmark of collators runs, and gives a ratio for each contest."""

import re
import sys

import pytest

from benchmarks import collators


@pytest.mark.long
def test_it_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["collators", "--rounds", "2", "--batches", "1"])
    collators.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["masked", "masked", "causal", "span_corruption"]
    assert all(float(re.search(r"([\d.]+) times as fast", line)[1]) > 0 for line in lines)  # type: ignore[index]
