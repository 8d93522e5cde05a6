"""Every choice that the machine makes: each of its values forced, each reason, on machines that are faked."""

import os
import platform
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from hornbook import machine
from hornbook.errors import HornbookError
from hornbook.threads import choose_threads

VARIABLES = ("DEVICE", "PRECISION", "HEAP", "HUGE_PAGES", "KERNELS")
CPU, GPU, META = (torch.device(name) for name in ("cpu", "cuda", "meta"))


@pytest.fixture(autouse=True)
def nothing_forced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    outside = ("OMP_NUM_THREADS", "THP_MEM_ALLOC_ENABLE", "ATEN_CPU_CAPABILITY", "ACCELERATE_USE_CPU")
    for name in (*outside, *(f"HORNBOOK_{one}" for one in VARIABLES)):
        monkeypatch.delenv(name, raising=False)
    machine.forget_kernels()
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    monkeypatch.undo()
    machine.forget_kernels()


def fake_gpu(monkeypatch: pytest.MonkeyPatch, bf16: bool = True, there: bool = True) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bf16)


def fake_processor(monkeypatch: pytest.MonkeyPatch, **capabilities: Any) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)


def fake_system(monkeypatch: pytest.MonkeyPatch, name: str, sys_platform: str, libc: str = "") -> None:
    monkeypatch.setattr(sys, "platform", sys_platform)
    monkeypatch.setattr(platform, "system", lambda: name)
    monkeypatch.setattr(platform, "libc_ver", lambda: (libc, ""))


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_value_that_is_not_known_is_refused_with_those_that_are(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"HORNBOOK_{variable}", "perhaps")
    with pytest.raises(HornbookError, match=f"HORNBOOK_{variable} is 'perhaps'.*set it to auto, "):
        machine.choose("auto", choose_threads())


@pytest.mark.parametrize(
    ("asked", "there", "chosen", "why", "forced"),
    [
        ("auto", False, "cpu", "PyTorch finds no CUDA GPU", False),
        ("auto", True, "cuda", "PyTorch finds a GPU", False),
        ("cpu", True, "cpu", "HORNBOOK_DEVICE is cpu", True),
        ("cpu", False, "cpu", "HORNBOOK_DEVICE is cpu", True),
        ("cuda", True, "cuda", "HORNBOOK_DEVICE is cuda; it is a GPU", True),
    ],
)
def test_device(
    asked: str, there: bool, chosen: str, why: str, forced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_gpu(monkeypatch, there=there)
    monkeypatch.setenv("HORNBOOK_DEVICE", asked)
    assert machine.choose_device() == machine.Choice("device", chosen, why, forced)
    assert machine.device_name() == ("a GPU" if chosen == "cuda" else "cpu")


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_gpu(monkeypatch, there=False)
    monkeypatch.setenv("HORNBOOK_DEVICE", "cuda")
    with pytest.raises(HornbookError, match="HORNBOOK_DEVICE is cuda, but PyTorch finds no CUDA GPU"):
        machine.choose_device()


def test_accelerate_may_have_been_told_to_use_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_gpu(monkeypatch)
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    assert machine.choose_device().chosen == "cpu"


@pytest.mark.parametrize(
    ("capabilities", "chosen", "why"),
    [
        ({"avx512_bf16": True, "cpu_name": "one"}, "bf16", "one has bf16 units"),
        ({"amx_bf16": True, "cpu_name": "one"}, "bf16", "one has bf16 units"),
        ({"avx2": True, "avx512_bf16": False, "cpu_name": "one"}, "fp32", "one has no bf16 units"),
        ({}, "fp32", "this processor has no bf16 units"),
    ],
)
def test_precision_by_a_processor(
    capabilities: dict[str, Any], chosen: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_gpu(monkeypatch, there=False)
    fake_processor(monkeypatch, **capabilities)
    assert machine.choose_precision("auto") == machine.Choice("precision", chosen, why)


def test_precision_where_pytorch_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_gpu(monkeypatch, there=False)
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert machine.choose_precision("auto").chosen == "fp32"
    assert machine.processor()


def test_precision_by_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_processor(monkeypatch, avx512_bf16=False, cpu_name="one")
    fake_gpu(monkeypatch, bf16=True)
    assert machine.choose_precision("auto") == machine.Choice("precision", "bf16", "a GPU has bf16 units")
    fake_gpu(monkeypatch, bf16=False)
    assert machine.choose_precision("auto") == machine.Choice("precision", "fp32", "a GPU has no bf16 units")
    with pytest.raises(HornbookError, match=r"training\.precision is bf16, but a GPU can't compute with it"):
        machine.choose_precision("bf16")
    monkeypatch.setenv("HORNBOOK_PRECISION", "bf16")
    with pytest.raises(HornbookError, match="HORNBOOK_PRECISION is bf16, but a GPU can't compute with it"):
        machine.choose_precision("auto")
    assert machine.choose_precision("fp32").chosen == "fp32"
    monkeypatch.setenv("HORNBOOK_DEVICE", "cpu")  # any processor can
    assert machine.choose_precision("auto").chosen == "bf16"


@pytest.mark.parametrize("variable", ["fp32", "bf16"])
def test_precision_by_the_recipe_and_by_the_variable(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_gpu(monkeypatch, there=False)
    monkeypatch.setenv("HORNBOOK_PRECISION", variable)
    why = f"HORNBOOK_PRECISION is {variable}"
    assert machine.choose_precision("auto") == machine.Choice("precision", variable, why, True)
    for asked in ("fp32", "bf16"):
        choice = machine.choose_precision(asked)
        assert choice.chosen == asked and choice.forced and choice.why.startswith("the recipe asks for it")
        assert (f"HORNBOOK_PRECISION={variable} only decides for auto" in choice.why) == (asked != variable)


@pytest.mark.parametrize("number", [1, 2, 64])
def test_cores(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the newest Python, by Linux, and by macOS and Windows; where nothing tells, there is one."""
    monkeypatch.setattr(os, "process_cpu_count", lambda: number, raising=False)
    assert machine.cores() == number
    monkeypatch.delattr(os, "process_cpu_count")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(number)), raising=False)
    assert machine.cores() == number
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: number)
    assert machine.cores() == number
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.cores() == 1


@pytest.mark.parametrize(
    ("system", "sys_platform", "libc", "heap", "pages"),
    [
        ("Linux", "linux", "glibc", "keep", "on"),
        ("Linux", "linux", "", "leave", "on"),  # with musl
        ("Darwin", "darwin", "", "leave", "off"),
        ("Windows", "win32", "", "leave", "off"),
    ],
)
def test_memory(
    system: str, sys_platform: str, libc: str, heap: str, pages: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_system(monkeypatch, system, sys_platform, libc)
    assert (machine.choose_heap().chosen, machine.choose_huge_pages().chosen) == (heap, pages)
    assert not machine.choose_heap().forced and not machine.choose_huge_pages().forced
    monkeypatch.setenv("HORNBOOK_HEAP", "leave")
    monkeypatch.setenv("HORNBOOK_HUGE_PAGES", "off")
    assert machine.choose_heap() == machine.Choice("heap", "leave", "HORNBOOK_HEAP is leave", True)
    assert machine.choose_huge_pages() == machine.Choice(
        "huge pages", "off", "HORNBOOK_HUGE_PAGES is off", True
    )
    monkeypatch.setenv("HORNBOOK_HEAP", "keep")
    monkeypatch.setenv("HORNBOOK_HUGE_PAGES", "on")
    if heap == "keep":
        assert machine.choose_heap().chosen == "keep"
    else:
        with pytest.raises(HornbookError, match=f"HORNBOOK_HEAP is keep, but {system} has no glibc"):
            machine.choose_heap()
    if pages == "on":
        assert machine.choose_huge_pages().chosen == "on"
    else:
        with pytest.raises(HornbookError, match=f"on Linux only, and this is {sys_platform}"):
            machine.choose_huge_pages()


@pytest.mark.parametrize(("value", "chosen", "forced"), [("0", "off", True), ("1", "on", False)])
def test_huge_pages_follow_pytorchs_own_variable(
    value: str, chosen: str, forced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_system(monkeypatch, "Linux", "linux", "glibc")
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", value)
    choice = machine.choose_huge_pages()
    assert (choice.chosen, choice.forced) == (chosen, forced)


@pytest.mark.parametrize(
    ("asked", "on_cpu", "on_gpu"), [("auto", True, False), ("torch", False, False), ("own", True, None)]
)
def test_kernels(asked: str, on_cpu: bool, on_gpu: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HORNBOOK_KERNELS", asked)
    fake_gpu(monkeypatch, there=False)
    assert machine.own_kernels(CPU) is on_cpu
    assert machine.own_kernels(META) is False
    choice = machine.choose_kernels()
    assert choice.chosen == ("own" if on_cpu else "torch") and choice.forced == (asked != "auto")
    if on_gpu is None:
        with pytest.raises(HornbookError, match="compute on a CPU only, and the device is cuda"):
            machine.own_kernels(GPU)
        return
    assert machine.own_kernels(GPU) is on_gpu
    fake_gpu(monkeypatch)
    assert machine.choose_kernels().chosen == "torch"


def test_instruction_set_by_itself() -> None:
    choice = machine.choose_instructions()
    assert choice.chosen == torch.backends.cpu.get_cpu_capability() and not choice.forced


def test_instruction_set_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    """That PyTorch heeds the variable is told by the runs of tests/training/test_choices.py."""
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")  # as Windows writes it
    fake_processor(monkeypatch, avx2=True, fma3=True, avx512_f=False)
    for asked in ("default", "avx2"):
        monkeypatch.setenv("ATEN_CPU_CAPABILITY", asked)
        choice = machine.choose_instructions()
        assert choice.forced and choice.why == f"ATEN_CPU_CAPABILITY is {asked}"
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx512")
    with pytest.raises(HornbookError, match=r"ATEN_CPU_CAPABILITY is avx512, but .* has no avx512_f"):
        machine.choose_instructions()
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx9")
    with pytest.raises(HornbookError, match="'avx9': set it to default, avx2 or avx512"):
        machine.choose_instructions()
    monkeypatch.setattr(platform, "machine", lambda: "arm64")  # PyTorch has other names there
    assert machine.choose_instructions().forced


def test_all_choices_are_described() -> None:
    choices = machine.choose("auto", choose_threads())
    found = machine.describe(choices)
    assert list(found) == [
        "device",
        "precision",
        "kernels",
        "threads",
        "instruction set",
        "heap",
        "huge pages",
    ]
    assert all(one["chosen"] and one["why"] for one in found.values())
