"""Where a training loop stops between two steps, and waits until it is told to take some more."""

import json
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import torch


class Gate:
    """One end of the pipe between the benchmark and a contender's process: orders come in, seconds go out.

    A loop runs as it always does, but for calling `passed` between its steps. When the steps that were ordered are
    done, the call answers with the time that they took and returns with the next order; at the end of all orders
    it ends the process. So loops take turns, each with the whole machine to itself.
    """

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self._orders, self._answers = orders, answers
        self._first = self._until = 0
        self._began: float | None = None

    def answer(self, **facts: Any) -> None:
        """Send a line to the benchmark."""
        self._answers.write(json.dumps(facts) + "\n")
        self._answers.flush()

    def passed(self, steps: int) -> None:
        """Hear that the loop has done so many steps since it began; the first call, with 0, waits for an order."""
        if steps < self._until:
            return
        _synchronise()
        if self._began is not None:
            seconds = time.perf_counter() - self._began
            self.answer(seconds=seconds, steps=steps - self._first, memory=peak_memory())
        order = self._orders.readline()
        if not order:
            sys.exit()
        self._first, self._until = steps, steps + int(json.loads(order)["steps"])
        self._began = time.perf_counter()


def _synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def forget_peak() -> None:
    """Let the peak memory count from now on; where the system can't, it stays that of the whole process."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """Give the most memory that was in use, in bytes: on the GPU where there is one, else of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    # Linux counts in KiB, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
