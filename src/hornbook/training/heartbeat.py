"""Find out which of several processes is gone: each adds beats to a counter in the launcher's store.

A failed collective operation doesn't say which process is gone; the counters do.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from datetime import timedelta

from torch.distributed import DistError, PrefixStore, TCPStore

_EVERY = 1.0
"""Seconds between two beats."""
_SILENT = 4.0
"""Seconds without a beat after which a process counts as gone."""


class Heartbeat:
    """This process's beat, and messages between the processes when something has gone wrong."""

    def __init__(self, rank: int, processes: int) -> None:
        self.rank, self.processes = rank, processes
        self._store = _connect()
        self._store.set(f"who/{rank}", f"process {os.getpid()} on {socket.gethostname()}")
        self._stopped = threading.Event()
        # The thread has a connection of its own, since the other one may be waiting for an answer.
        threading.Thread(target=self._beat, args=(_connect(),), daemon=True, name="heartbeat").start()

    def stop(self) -> None:
        """Stop beating."""
        self._stopped.set()

    def say(self, text: str) -> None:
        """Write down for the others what went wrong in this process."""
        self._store.set(f"said/{self.rank}", text)

    def first_to_speak(self) -> bool:
        """Return True in the first process that asks, which then tells the user what went wrong."""
        return self._store.add("spoken", 1) == 1

    def what_others_said(self) -> dict[int, str]:
        """Read what went wrong in other processes."""
        others = [rank for rank in range(self.processes) if rank != self.rank]
        return {rank: self._read(f"said/{rank}") for rank in others if self._store.check([f"said/{rank}"])}

    def silent(self) -> list[int]:
        """Watch for some seconds, and give the ranks that no longer beat."""
        others = [rank for rank in range(self.processes) if rank != self.rank]
        before = {rank: self._beat_of(rank) for rank in others}
        end = time.monotonic() + _SILENT
        while others and time.monotonic() < end:
            time.sleep(0.2)
            others = [rank for rank in others if self._beat_of(rank) == before[rank]]
        return others

    def name(self, rank: int) -> str:
        """Say which process a rank is: its number, and the machine."""
        return f"rank {rank} of {self.processes} ({self._read(f'who/{rank}')})"

    def leave(self, gone: list[int]) -> None:
        """Say that this process ends. Rank 0 lets those that aren't `gone` leave first, for some seconds.

        Rank 0 may keep the store: if it ended first, the others could no longer learn what happened.
        """
        others = [rank for rank in range(1, self.processes) if rank not in gone] if self.rank == 0 else []
        end = time.monotonic() + 2 * _SILENT
        with suppress(DistError):  # the store may be gone already
            self._store.set(f"left/{self.rank}", "")
            while others and time.monotonic() < end:
                time.sleep(0.2)
                others = [rank for rank in others if not self._store.check([f"left/{rank}"])]

    def _beat(self, store: PrefixStore) -> None:
        with suppress(DistError):  # the store ends with its process, and so will this one
            while not self._stopped.wait(_EVERY):
                store.add(f"beat/{self.rank}", 1)

    def _beat_of(self, rank: int) -> int:
        return self._store.add(f"beat/{rank}", 0)

    def _read(self, name: str) -> str:
        return self._store.get(name).decode()


def _connect() -> PrefixStore:
    """Connect to the store by which the processes found each other."""
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = TCPStore(host, port, is_master=False, wait_for_workers=False, timeout=timedelta(seconds=10))
    # A launcher that starts the processes anew may keep its store.
    return PrefixStore(f"hornbook/{os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", store)
