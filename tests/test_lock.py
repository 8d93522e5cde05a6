"""A lock names its owner, is taken over from the dead, and notices where a disk shares no locks between machines."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hornbook import lock
from hornbook.errors import HornbookError
from hornbook.lock import hold

HOLD = """
import sys, time
from pathlib import Path
from hornbook.lock import hold
with hold(Path(sys.argv[1]), "it is taken"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path: Path):
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_the_owner_is_named_and_the_dead_own_nothing(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    place = tmp_path / "lock"
    named = rf"^it is taken \(process {other.pid} on \S+, since 20"
    with pytest.raises(HornbookError, match=named), hold(place, "it is taken"):
        pass
    told: list[str] = []
    threading.Timer(0.5, other.send_signal, [signal.SIGKILL]).start()
    with hold(place, "it is taken", told.append):
        assert len(told) == 1 and f"process {other.pid}" in told[0]
        assert json.loads((tmp_path / "lock.json").read_text())["process"] == os.getpid()
    assert not (tmp_path / "lock.json").exists()


@pytest.mark.parametrize("lives", [True, False])
def test_another_machine_on_a_disk_that_shares_no_locks(
    lives: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "BEAT", 0.2)
    who = tmp_path / "lock.json"
    who.write_text('{"host": "elsewhere", "process": 7, "since": "yesterday"}')
    ended = threading.Event()
    beats = threading.Thread(target=lock._live, args=(who, ended))
    if lives:
        beats.start()
        with (
            pytest.raises(HornbookError, match=r"process 7 on elsewhere.* doesn't share locks"),
            hold(tmp_path / "lock", "it is taken"),
        ):
            pass
        ended.set()
        beats.join()
    else:
        began = time.monotonic()
        with hold(tmp_path / "lock", "it is taken"):
            assert time.monotonic() - began >= 0.4
