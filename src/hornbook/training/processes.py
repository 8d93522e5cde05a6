"""The processes that share a run: how they join, agree on errors, report an error once, and end."""

import gc
import os
import re
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from torch import distributed

from hornbook.disk import in_words
from hornbook.errors import HornbookError, Interrupted, SharedError
from hornbook.launch import Launch, asks_for_shards, read_launch
from hornbook.machine import choose_device, cores, patience
from hornbook.training.heartbeat import Heartbeat

_ALONE = timedelta(days=7)
"""How long the others wait while the first process works alone: a large corpus takes hours to tokenize."""
_LOST = re.compile(r"gloo|nccl|c10d|processgroup|store|connection", re.IGNORECASE)
"""Matches PyTorch's messages for a failed collective operation; these errors have no class of their own."""

T = TypeVar("T")


@dataclass(frozen=True)
class Ending:
    """What a process says and returns when it ends with an error."""

    text: str | None
    """What the user is told; None if another process tells it."""
    exit_code: int


class Processes:
    """The processes of a run, one or several."""

    def __init__(self, rank: int = 0, count: int = 1, shards: bool = False) -> None:
        self.rank, self.count, self.shards = rank, count, shards
        self.launched = distributed.is_initialized()
        """Whether a launcher started this process, maybe as the only one."""
        if count > 1:
            self._heartbeat = Heartbeat(rank, count)
            # Agreements may wait for days, and need a group of their own: the training's group must not.
            self._agreements = distributed.new_group(backend="gloo", timeout=_ALONE)

    @property
    def first(self) -> bool:
        """Whether this is the first process, which writes files and talks to the user."""
        return self.rank == 0

    def gather(self, value: T) -> list[T]:
        """Collect a value from every process, by rank; all processes must call this."""
        if self.count == 1:
            return [value]
        found: list[Any] = [None] * self.count
        distributed.all_gather_object(found, value, group=self._agreements)
        return found

    @contextmanager
    def together(self) -> Iterator[None]:
        """Run a block in all processes; if it fails in one, all raise its error.

        No process goes on before all have reached the end of the block.
        """
        if self.count == 1:
            with in_words():
                yield
            return
        problem = None
        try:
            with in_words():
                yield
        except HornbookError as error:
            problem = str(error)
        told = self.gather(problem)
        problems = {rank: one for rank, one in enumerate(told) if one}
        if problems:
            rank, text = next(iter(problems.items()))
            everywhere = len(problems) == self.count and len(set(problems.values())) == 1
            raise SharedError(text if everywhere or rank == 0 else f"rank {rank} of {self.count}: {text}")

    def first_then_others(self, work: Callable[[], T]) -> T:
        """Call `work` in all processes: first in one alone, so that the others find what it made."""
        done: list[T] = []
        for turn in (True, False):
            with self.together():
                if self.first is turn:
                    done.append(work())
        return done[0]

    def check_same(self, what: str, value: object) -> None:
        """Raise HornbookError where the processes don't have the same value."""
        found = self.gather(value)
        for rank, other in enumerate(found):
            if other != found[0]:
                raise SharedError(
                    f"{what} is {found[0]} in rank 0, but {other} in rank {rank}: all processes need the same files: "
                    "put out, cache and the corpus on a disk that all machines share"
                )

    def part(self) -> None:
        """Wait for all processes, then end the group. No reference to a wrapped module may be left.

        A wrapped module (DDP) holds the group. If it were the last to hold it, the process might never end: it would
        wait for the group's thread while holding Python's lock, and that thread may be waiting for the lock.
        """
        if not distributed.is_initialized():
            return
        gc.collect()
        if self.count > 1:
            self.gather(None)
            self._heartbeat.stop()
        distributed.destroy_process_group()
        self.count = 1

    def end(self, error: BaseException) -> Ending:
        """Decide what this process says about an error, and its exit code; only one process says something.

        If a collective operation failed, it names the rank that is gone. This takes some seconds, in which SIGTERM is
        ignored: the launcher sends it as soon as the first process ends.
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if isinstance(error, Interrupted):
            return Ending(str(error) if self.first else None, error.exit_code)
        known = isinstance(error, HornbookError)
        if isinstance(error, SharedError) or (known and self.count == 1):
            return Ending(str(error) if self.first else None, 2)
        if self.count > 1 and not known and isinstance(error, RuntimeError) and _LOST.search(str(error)):
            return self._end_of_lost(error)
        text = str(error) if known else "".join(traceback.format_exception(error)).rstrip()
        if self.count == 1:
            return Ending(text, 1)
        try:
            self._heartbeat.say(f"{type(error).__name__}: {error}")
            speaks = self._heartbeat.first_to_speak()
        except RuntimeError:  # the process that kept the store is gone
            speaks = True
        return Ending(f"rank {self.rank} of {self.count}: {text}" if speaks else None, 2 if known else 1)

    def _end_of_lost(self, error: RuntimeError) -> Ending:
        """Find out which process is gone; say nothing if another process has reported its error."""
        again = "run the same command to go on from the last checkpoint"
        try:
            ranks = self._heartbeat.silent()
            gone = [self._heartbeat.name(rank) for rank in ranks]
            quiet = bool(self._heartbeat.what_others_said()) or not self._heartbeat.first_to_speak()
            self._heartbeat.leave(ranks)
            if quiet:
                return Ending(None, 2)
        except RuntimeError:
            gone = ["the process that keeps the others' addresses (rank 0, or the launcher)"]
        if gone:
            return Ending(
                f"{' and '.join(gone)} is gone: it was killed, or its machine stopped or had no memory left; the "
                f"other processes end too: {again}",
                2,
            )
        first_line = str(error).partition("\n")[0]
        return Ending(
            f"the processes lost each other, though all of them still run ({first_line}): {again}", 2
        )


def join() -> Processes:
    """Join the other processes that a launcher started; without a launcher, this is the only one.

    Raises HornbookError if fewer processes join than were started.
    """
    launch, shards = read_launch(), asks_for_shards()
    # Else Accelerate would divide the model itself, on GPUs alone.
    os.environ.pop("ACCELERATE_USE_FSDP", None)
    if not launch.several:
        return Processes(shards=shards)
    if "LOCAL_RANK" in os.environ and choose_device().chosen == "cuda":
        here, found = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count()
        if here > found:
            raise HornbookError(
                f"{here} processes were started on this machine, but PyTorch finds {found} GPU(s): start one process "
                "for each, or set HORNBOOK_DEVICE to cpu"
            )
    if "OMP_NUM_THREADS" not in os.environ:  # else each process would use a thread for every core
        threads = max(1, cores() // _processes_here(launch))
        os.environ["OMP_NUM_THREADS"] = str(threads)
        torch.set_num_threads(threads)
    wait = patience()
    try:
        state = PartialState(cpu=choose_device().chosen == "cpu", timeout=timedelta(seconds=wait))
    except (distributed.DistError, ValueError) as error:
        joined = re.search(r"(\d+)/\d+ clients joined", str(error))
        raise HornbookError(
            f"{launch.said}, but {f'{joined[1]} joined' if joined else 'not all joined'} within {wait} seconds: start "
            "all of them at once with one launcher, or set HORNBOOK_PATIENCE to more seconds; for one process unset "
            "WORLD_SIZE"
        ) from error
    if state.num_processes != launch.processes:
        raise HornbookError(
            f"{launch.said}, but {state.num_processes} process joined: Accelerate needs RANK and LOCAL_RANK in each "
            "process: use torchrun, or set them"
        )
    return Processes(state.process_index, state.num_processes, shards)


def _processes_here(launch: Launch) -> int:
    """Return the number of processes on this machine, or of all if the launcher doesn't say."""
    names = ("LOCAL_WORLD_SIZE", "MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE")
    return next(
        (int(os.environ[name]) for name in names if os.environ.get(name, "").isdecimal()), launch.processes
    )
