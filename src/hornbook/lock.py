"""A lock that names who has it: by host and process, in a file beside it that shows by its time that its owner lives.

The operating system lets go of the lock when its process ends, even killed. On a disk that doesn't share locks between
machines, as NFS can be set up, both machines get it; there the file tells that somebody else is alive.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hornbook.errors import HornbookError

BEAT = 5.0
"""Seconds between two signs of life."""
_ORPHANS = 15.0
"""Seconds in which the workers of a killed process end, which still have its lock."""


@contextmanager
def hold(lock: Path, what: str, wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold a lock while a block runs; a lock of the dead is taken over.

    `what` says what the lock is for, in the error or to `wait`. Raises HornbookError that names the owner, if another
    process has it; with `wait`, that is called once with the same sentence, and the lock is waited for.
    """
    who = lock.with_name(f"{lock.name}.json")
    taken = FileLock(lock, thread_local=False)
    _acquire(taken, who, what, wait)
    try:
        _check_other_host(who, what)
        told = {"host": socket.gethostname(), "process": os.getpid(), "since": time.strftime("%F %T")}
        who.write_text(json.dumps(told), "utf-8")
        ended = threading.Event()
        beats = threading.Thread(target=_live, args=(who, ended), daemon=True, name="lock")
        beats.start()
        try:
            yield
        finally:
            ended.set()
            beats.join()
            with suppress(OSError):  # the folder was removed, or its disk turned read-only
                who.unlink()
    finally:
        taken.release()


def _acquire(taken: FileLock, who: Path, what: str, wait: Callable[[str], None] | None) -> None:
    """Take the lock, or say who has it; where that process is dead, its own workers may still be ending."""
    end = time.monotonic() + _ORPHANS
    told = False
    while True:
        with suppress(Timeout):
            taken.acquire(timeout=0)
            return
        owner = _read(who)
        if not (dead := owner.get("host") == socket.gethostname() and not _alive(owner.get("process"))):
            if wait is None:
                raise HornbookError(f"{what} ({_name(owner)}): wait for it to end, or end it")
            if not told:
                wait(f"{what} ({_name(owner)}): waiting for it")
                told = True
        elif time.monotonic() > end:
            raise HornbookError(f"{what} ({_name(owner)}, or what it started): end that first")
        time.sleep(0.1 if dead else 0.5)


def _check_other_host(who: Path, what: str) -> None:
    """Raise HornbookError where a process of another machine, which should have kept this lock, gives signs of life."""
    owner = _read(who)
    if not owner or owner.get("host") == socket.gethostname():
        return
    before, end = who.stat().st_mtime_ns, time.monotonic() + 2.5 * BEAT
    while time.monotonic() < end:
        time.sleep(BEAT / 5)
        with suppress(FileNotFoundError):
            if who.stat().st_mtime_ns == before:
                continue
            raise HornbookError(
                f"{what} ({_name(owner)}), and this disk doesn't share locks between machines: wait for it to end, "
                "or use a disk that does, such as NFS version 4"
            )
        return


def _live(who: Path, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        with suppress(OSError):
            os.utime(who)


def _read(who: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        owner = json.loads(who.read_text("utf-8"))
        return owner if isinstance(owner, dict) else {}
    return {}


def _name(owner: dict[str, Any]) -> str:
    if not owner:
        return "a process that hasn't said its name yet"
    return f"process {owner.get('process')} on {owner.get('host')}, since {owner.get('since')}"


def _alive(process: Any) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, TypeError, ValueError, OverflowError):
        return False
    except OSError:  # somebody else's
        pass
    return True
