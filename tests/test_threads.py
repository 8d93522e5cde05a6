"""The number of threads: each way to force it, and what is free on machines that are faked or really busy."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch

from hornbook import threads
from hornbook.errors import HornbookError
from hornbook.machine import Choice, cores


@pytest.fixture(autouse=True)
def nothing_forced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("OMP_NUM_THREADS", "HORNBOOK_THREADS"):
        monkeypatch.delenv(name, raising=False)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    threads._ours.clear()


def fake_machine(
    monkeypatch: pytest.MonkeyPatch, cores: int, busy: list[float] | None = None, quota: str = "max 100000"
) -> None:
    """Fake a machine of so many cores, the share of each that others use, and a container's quota."""
    monkeypatch.setattr(threads, "cores", lambda: cores)
    monkeypatch.setattr(torch, "set_num_threads", lambda number: set_to.append(number))
    set_to = [cores]
    monkeypatch.setattr(torch, "get_num_threads", lambda: set_to[-1])
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(cores), raising=False)
    shares = busy if busy is not None else [0.0] * cores
    monkeypatch.setattr(psutil, "cpu_percent", lambda seconds, percpu: [100 * share for share in shares])
    monkeypatch.setattr(Path, "read_text", lambda path, encoding: quota)


@pytest.mark.parametrize("asked", ["perhaps", "0", "-1", "1.5"])
def test_a_number_that_is_none_is_refused(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HORNBOOK_THREADS", asked)
    for choose in (threads.choose_threads, threads.use_threads, threads.use_free_threads):
        with pytest.raises(HornbookError, match=f"HORNBOOK_THREADS is '{asked}'.*a whole number from 1"):
            choose()


@pytest.mark.parametrize("number", [1, 2, 64])
def test_choose_threads(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: number)
    monkeypatch.setattr(torch, "get_num_threads", lambda: number)
    each = "one for each core that this process may use"
    assert threads.choose_threads() == Choice("threads", str(number), each)
    monkeypatch.setattr(threads, "cores", lambda: 8)
    assert threads.choose_threads().why == "PyTorch is set so in this process, which may use 8 core(s)"
    monkeypatch.setenv("OMP_NUM_THREADS", str(number))
    forced = Choice("threads", str(number), f"OMP_NUM_THREADS is {number}", True)
    assert threads.choose_threads() == forced
    usual = Choice("threads", "1", "this command gives 1 to each of its processes")
    assert threads.choose_threads(1) == usual
    monkeypatch.setenv("HORNBOOK_THREADS", "3")
    assert threads.choose_threads(1) == Choice("threads", "3", "HORNBOOK_THREADS is 3", True)


def test_threads_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    threads.use_threads()
    assert torch.get_num_threads() == before
    threads.use_threads(1)
    assert torch.get_num_threads() == 1
    monkeypatch.setenv("HORNBOOK_THREADS", "3")
    threads.use_threads(1)
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize(
    ("cores", "busy", "number"),
    [
        (2, [0.0, 0.0], 2),
        (2, [0.1, 0.05], 2),
        (2, [1.0, 0.0], 1),
        (2, [0.3, 0.2], 1),
        (2, [1.0, 1.0], 1),
        (4, [1.0, 0.0, 0.0, 0.0], 3),
        (16, [1.0] * 6 + [0.0] * 10, 10),
        (16, [0.01] * 16, 16),
        (1, [1.0], 1),
    ],
)
def test_as_many_threads_as_cores_are_free(
    cores: int, busy: list[float], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_machine(monkeypatch, cores, busy)
    choice = threads.use_free_threads()
    assert (choice.chosen, choice.forced) == (str(number), False)
    assert torch.get_num_threads() == number
    if cores > 1:
        assert choice.why == f"{cores - sum(busy):.1f} of {cores} cores are free"


@pytest.mark.parametrize(("quota", "number"), [("200000 100000", 2), ("50000 100000", 1), ("max 100000", 8)])
def test_a_container_with_less_time_than_cores(
    quota: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_machine(monkeypatch, 8, quota=quota)
    assert threads.use_free_threads().chosen == str(number)


def test_only_the_cores_that_the_process_may_use_count(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_machine(monkeypatch, 2, [1.0, 1.0, 0.0, 0.0])
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {2, 3}, raising=False)
    assert threads.use_free_threads().chosen == "2"


def test_a_machine_without_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS and Windows can't bind a process to some of the cores."""
    fake_machine(monkeypatch, 2, [1.0, 0.0])
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert threads.use_free_threads().chosen == "1"


def test_what_somebody_asked_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_machine(monkeypatch, 8, [1.0] * 7 + [0.0])
    torch.set_num_threads(5)  # as a notebook does
    assert threads.use_free_threads().chosen == "5"
    torch.set_num_threads(8)
    monkeypatch.setenv("HORNBOOK_THREADS", "7")
    assert threads.use_free_threads(3).why == "HORNBOOK_THREADS is 7"
    monkeypatch.delenv("HORNBOOK_THREADS")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert threads.use_free_threads(3).why == "OMP_NUM_THREADS is 8"


def test_a_second_training_in_a_process_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = [1.0, 0.0]
    fake_machine(monkeypatch, 2, busy)
    assert threads.use_free_threads().chosen == "1"
    busy[0] = 0.0
    assert threads.use_free_threads().chosen == "2"
    assert torch.get_num_threads() == 2


def test_a_program_that_is_busy_for_a_moment_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_machine(monkeypatch, 2)
    seen = iter([[100.0, 50.0], [0.0, 100.0], [1.0, 2.0]])
    monkeypatch.setattr(psutil, "cpu_percent", lambda seconds, percpu: next(seen))
    assert threads.use_free_threads() == Choice("threads", "2", "2.0 of 2 cores are free")


def test_beside_a_gpu_nobody_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_machine(monkeypatch, 4, [1.0] * 4)
    monkeypatch.setattr(threads, "choose_device", lambda: Choice("device", "cuda", "a GPU"))
    assert threads.use_free_threads().chosen == "4"


def test_its_own_threads_are_not_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def watch(seconds: float, percpu: bool) -> list[float]:
        until = time.process_time() + seconds
        while time.process_time() < until:
            pass
        return [100.0, 0.0]

    fake_machine(monkeypatch, 2)
    monkeypatch.setattr(psutil, "cpu_percent", watch)
    assert threads.busy_cores(0.2) < 0.1


def test_a_run_keeps_the_number_with_which_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bits depend on it. On a smaller machine, where it would be slow, it isn't kept."""
    fake_machine(monkeypatch, 4, [1.0, 0.0, 0.0, 0.0])
    assert threads.use_free_threads(4) == Choice("threads", "4", "this run began with 4")
    assert threads.use_free_threads(2).chosen == "2" and torch.get_num_threads() == 2
    assert threads.use_free_threads(16).why == "3.0 of 4 cores are free"


@pytest.mark.skipif(cores() < 2, reason="needs two cores")
def test_a_busy_process_is_seen() -> None:
    """Nothing faked: one process that never rests keeps most of a core busy, whatever else runs."""
    torch.set_num_threads(cores())
    with subprocess.Popen([sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=-1) as other:
        assert other.stdout is not None
        other.stdout.readline()
        try:
            assert threads.busy_cores(1.0) > 0.7
            assert re.fullmatch(r"\d+\.\d of \d+ cores are free", threads.use_free_threads().why)
            assert torch.get_num_threads() < cores()
        finally:
            other.kill()
