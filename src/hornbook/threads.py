"""How many threads PyTorch computes with. `machine.py` makes the machine's other choices."""

import os
import time
from contextlib import suppress
from math import floor
from pathlib import Path

import psutil
import torch

from hornbook.errors import HornbookError
from hornbook.machine import Choice, choose_device, cores

_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Where a Linux container reads how much time of the processors it gets (cgroup v2): "200000 100000" is two cores."""

_SEEN, _LOOKS = 0.5, 3
"""Seconds for which the other programs are watched, and how often at most: one that is busy for a moment, such as at
the end of its start, isn't to slow a run of hours."""

_UNUSED = 0.2
"""A core counts as free if other programs use less than this share of it. A thread that waits for another one, which
isn't running, costs more than a fifth of a core brings (docs/results.md, "How threads wait")."""

_ours: list[int] = []
"""The number that `use_free_threads` set last: only another one is somebody's wish."""


def choose_threads(usual: int | None = None) -> Choice:
    """Choose how many threads PyTorch computes with in this process.

    HORNBOOK_THREADS, a number from 1, forces it. Otherwise it is `usual`, if the caller gives it, or PyTorch's own
    number: OMP_NUM_THREADS, or one for each core. Raises HornbookError for an invalid value.
    """
    asked = os.environ.get("HORNBOOK_THREADS", "")
    if asked:
        if not (asked.isdecimal() and int(asked)):
            raise HornbookError(
                f"HORNBOOK_THREADS is {asked!r}, and has to be a whole number from 1: "
                f"set it to {cores()}, the cores that this process may use, or unset it"
            )
        return Choice("threads", asked, f"HORNBOOK_THREADS is {asked}", True)
    if usual is not None:
        return Choice("threads", str(usual), f"this command gives {usual} to each of its processes")
    threads, openmp = torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS", "")
    if openmp == str(threads):
        return Choice("threads", openmp, f"OMP_NUM_THREADS is {openmp}", True)
    if threads == cores():
        return Choice("threads", str(threads), "one for each core that this process may use")
    return Choice(
        "threads", str(threads), f"PyTorch is set so in this process, which may use {cores()} core(s)"
    )


def use_threads(usual: int | None = None) -> Choice:
    """Set PyTorch's number of threads to the choice of `choose_threads`, and return it.

    Raises HornbookError as `choose_threads` does.
    """
    choice = choose_threads(usual)
    # PyTorch's own number isn't set again, since this would stop MKL from adapting its threads.
    if os.environ.get("HORNBOOK_THREADS") or usual is not None:
        torch.set_num_threads(int(choice.chosen))
    return choice


def use_free_threads(began: int | None = None) -> Choice:
    """Set PyTorch's number of threads to the number of cores that other programs leave free, and return the choice.

    `began` is the number with which a run began: its bits depend on it, so it is kept as long as there are so many
    cores. A number that somebody asked for is kept too (see `choose_threads`), and so is one in a process that has one
    core, or a GPU. Otherwise the other programs are watched for half a second, up to three times. The choice says what
    was free.
    """
    choice = choose_threads()
    threads = torch.get_num_threads()
    asked = choice.forced or (threads != cores() and threads not in _ours)
    if asked or choose_device().chosen == "cuda":  # a GPU computes, and no thread waits for another
        return choice
    if began is not None and began <= cores():
        choice = Choice("threads", str(began), f"this run began with {began}")
    elif cores() > 1:
        free, number = 0.0, 1
        for _ in range(_LOOKS):
            free = max(free, min(cores() - busy_cores(_SEEN), quota()))
            number = max(1, min(cores(), floor(free + _UNUSED)))
            if number == cores():
                break
        choice = Choice("threads", str(number), f"{free:.1f} of {cores()} cores are free")
    if int(choice.chosen) != threads:
        torch.set_num_threads(int(choice.chosen))
        _ours[:] = [int(choice.chosen)]
    return choice


def busy_cores(seconds: float) -> float:
    """Return how many of the cores that this process may use are busy with others' work, as a mean over some seconds.

    What this process itself computes meanwhile, in other threads, doesn't count.
    """
    own = time.process_time()
    shares = psutil.cpu_percent(seconds, percpu=True)
    own = (time.process_time() - own) / seconds
    if hasattr(os, "sched_getaffinity"):
        shares = [shares[core] for core in os.sched_getaffinity(0) if core < len(shares)]
    return max(0.0, float(sum(shares)) / 100 - own)


def quota() -> float:
    """Return how many cores' time this process's container may use; infinite without a limit."""
    with suppress(OSError, ValueError):
        allowed, period = _QUOTA.read_text("utf-8").split()
        return int(allowed) / int(period)
    return float("inf")
