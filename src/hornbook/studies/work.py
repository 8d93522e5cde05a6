"""Do a study's jobs: one after the other, or beside each other, each in a new process of one thread."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from multiprocessing.synchronize import Event
from typing import TypeVar

import torch

from hornbook.errors import Interrupted
from hornbook.reporter import Reporter
from hornbook.spawning import without_main
from hornbook.threads import use_threads
from hornbook.training.interrupt import watch

T = TypeVar("T")

_stop: Event | None = None
"""In a job's own process: set when the study was stopped."""
_orphaned = threading.Event()
"""Set in a job's own process when the study has ended without it."""


@dataclass(frozen=True)
class Stopped:
    """The result of a job that was stopped."""

    signal_number: int


def heed(job: Callable[[], T]) -> T | Stopped:
    """Do a job, and turn Interrupted into a value, since the exception can't be sent to the parent process."""
    if _stop is not None and _stop.is_set():  # this process was already on its way
        return Stopped(signal.SIGTERM)
    try:
        return job()
    except Interrupted as stop:
        return Stopped(stop.exit_code - 128)
    except KeyboardInterrupt:
        return Stopped(signal.SIGINT)
    finally:
        if _orphaned.is_set():
            os._exit(128 + signal.SIGTERM)  # nobody is left who would take the result


def _begin(stop: Event) -> None:
    """Begin a job's own process: one thread, and no life beyond the parent's."""
    global _stop
    _stop = stop
    # Ctrl-C in a terminal reaches all processes; the parent tells these, and a training watches for it by itself.
    if sys.platform != "win32":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_threads(1)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """Wait for the parent's end, which may be a kill; then stop as after SIGTERM: a run saves itself."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    _orphaned.set()
    os.kill(os.getpid(), signal.SIGTERM)


def work(jobs: Sequence[Callable[[], T]], processes: int, report: Reporter, apart: bool = False) -> list[T]:
    """Do the jobs, `processes` at a time and with one thread each, and return their results in order.

    With `apart` each has a process of its own also where they are done one after the other: no job's memory then holds
    what an earlier one left.
    """
    began = time.perf_counter()
    with report.shares() as share:

        def tell(ready: int) -> None:
            share("Runs", ready / len(jobs))
            if not report.bars:
                report.say(f"{ready} of {len(jobs)} runs after {(time.perf_counter() - began) / 60:.1f} min")

        share("Runs", 0.0)
        if not report.bars:  # the first line about a run may be long in coming
            report.say(f"{len(jobs)} runs, {min(processes, len(jobs))} at a time")
        return _beside(jobs, processes, tell) if apart or processes > 1 else _here(jobs, tell)


def _here(jobs: Sequence[Callable[[], T]], tell: Callable[[int], None]) -> list[T]:
    """Do the jobs one after the other, in this process."""
    threads, found = torch.get_num_threads(), []
    use_threads(1)
    try:
        for job in jobs:
            found.append(job())
            tell(len(found))
    finally:
        torch.set_num_threads(threads)
    return found


def _alone(job: Callable[[], T], context: SpawnContext, stop: Event) -> T | Stopped:
    """Do a job in a process that begins with it and ends with it."""
    with ProcessPoolExecutor(1, context, _begin, (stop,)) as pool:
        return pool.submit(heed, job).result()


def _beside(jobs: Sequence[Callable[[], T]], processes: int, tell: Callable[[int], None]) -> list[T]:
    """Do each job in a new process: for small models, two processes of one thread beat one process of two."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    # Each thread of the pool waits for one process at a time.
    with watch() as signals, without_main(), ThreadPoolExecutor(min(processes, len(jobs))) as pool:
        futures = [pool.submit(_alone, job, context, stop) for job in jobs]
        waiting = set(futures)
        try:
            while waiting:
                done, waiting = wait(waiting, 1.0, FIRST_COMPLETED)
                found = [one.result() for one in done]
                stopped = [one.signal_number for one in found if isinstance(one, Stopped)]
                if number := signals.received or max(stopped, default=0):
                    text = "the study was stopped, and its runs are saved; run the same command to go on"
                    raise Interrupted(text, number)
                if done:
                    tell(len(jobs) - len(waiting))
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            # A terminated run saves itself, except on Windows, where it ends at once. There Ctrl-C has already reached
            # every process, and each is left alone to save itself.
            if sys.platform != "win32" or not signals.received:
                for child in multiprocessing.active_children():
                    child.terminate()
            raise
    return [one.result() for one in futures]  # type: ignore[misc]
