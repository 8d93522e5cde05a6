"""The one place where the machine decides: device, precision, memory, kernels, instruction set.

Only the number of threads is chosen elsewhere, in threads.py. One function makes each choice and gives the reason; an
environment variable can force it. So the path of one machine can be tested on any other.
"""

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from hornbook.errors import HornbookError


@dataclass(frozen=True)
class Choice:
    """A choice and its reason, for a run's record and the line at its start."""

    name: str
    chosen: str
    why: str
    forced: bool = False
    """Whether a recipe or the environment asked for it, and not the machine."""


def choose_device() -> Choice:
    """Choose cuda if PyTorch finds a GPU, else cpu; HORNBOOK_DEVICE (auto, cpu, cuda) forces it.

    Raises HornbookError for cuda without a GPU, and for an unknown value.
    """
    asked = _asked("HORNBOOK_DEVICE", ("auto", "cpu", "cuda"))
    if asked == "cpu":
        return Choice("device", "cpu", "HORNBOOK_DEVICE is cpu", True)
    found = torch.cuda.is_available()
    if asked == "cuda":
        if not found:
            raise HornbookError(
                "HORNBOOK_DEVICE is cuda, but PyTorch finds no CUDA GPU here: set it to cpu or auto"
            )
        return Choice(
            "device", "cuda", f"HORNBOOK_DEVICE is cuda; it is {torch.cuda.get_device_name()}", True
        )
    if found and os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes", "y", "on", "t"):
        return Choice("device", "cpu", "Accelerate was told to use the CPU (ACCELERATE_USE_CPU)", True)
    if found:
        return Choice("device", "cuda", f"PyTorch finds {torch.cuda.get_device_name()}")
    return Choice("device", "cpu", "PyTorch finds no CUDA GPU")


def choose_precision(asked: str) -> Choice:
    """Choose the number format of the matrix products; weights, gradients and optimizer state are fp32 either way.

    `asked` is the recipe's value: auto, fp32 or bf16. For auto, HORNBOOK_PRECISION (auto, fp32, bf16) decides; if this
    is auto too, the choice is bf16 if the device has units for it, else fp32. Raises HornbookError for bf16 on a GPU
    that can't compute with it, and for an unknown value.
    """
    by, wanted = "training.precision", asked
    variable = _asked("HORNBOOK_PRECISION", ("auto", "fp32", "bf16"))
    if asked == "auto":
        by, wanted = "HORNBOOK_PRECISION", variable
    able, what = _bf16_units()
    if wanted == "bf16" and not able and choose_device().chosen == "cuda":
        raise HornbookError(f"{by} is bf16, but {what} can't compute with it: set it to fp32 or auto")
    if wanted == "auto":
        chosen, has = ("bf16", "has") if able else ("fp32", "has no")
        return Choice("precision", chosen, f"{what} {has} bf16 units")
    if asked == "auto":
        return Choice("precision", wanted, f"HORNBOOK_PRECISION is {wanted}", True)
    unused = "" if variable in ("auto", asked) else f"; HORNBOOK_PRECISION={variable} only decides for auto"
    return Choice("precision", wanted, f"the recipe asks for it{unused}", True)


def _bf16_units() -> tuple[bool, str]:
    """Tell whether the chosen device has units for bf16, and name the device.

    A processor without AMX or AVX-512 bf16 emulates these products: the results are right, but slower than fp32.
    """
    if choose_device().chosen == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False), torch.cuda.get_device_name()
    found = _capabilities()
    return bool(found.get("amx_bf16") or found.get("avx512_bf16")), str(
        found.get("cpu_name") or "this processor"
    )


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "process_cpu_count"):  # from Python 3.13 on
        return os.process_cpu_count() or 1
    # macOS and Windows can't bind a process to some of the cores in this way.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def patience() -> int:
    """Return the seconds that processes of a run wait for each other before they give up.

    HORNBOOK_PATIENCE, a number from 1, sets it. Raises HornbookError for an invalid value.
    """
    asked = os.environ.get("HORNBOOK_PATIENCE") or "300"
    if not (asked.isdecimal() and int(asked)):
        raise HornbookError(
            f"HORNBOOK_PATIENCE is {asked!r}, and has to be a whole number of seconds from 1: set it so, or unset it"
        )
    return int(asked)


def choose_heap(sharded: bool = False) -> Choice:
    """Choose whether freed memory is kept for the next step (keep) or given back to the system (leave).

    It is kept with glibc, the only allocator with such a setting, unless processes hold parts of a model to need less
    (`sharded`); HORNBOOK_HEAP (auto, keep, leave) forces the choice.
    Raises HornbookError for keep without glibc, and for an unknown value.
    """
    asked = _asked("HORNBOOK_HEAP", ("auto", "keep", "leave"))
    glibc = platform.libc_ver()[0] == "glibc"
    if asked == "keep" and not glibc:
        raise HornbookError(
            f"HORNBOOK_HEAP is keep, but {platform.system()} has no glibc here, the only allocator with this "
            "setting: set it to leave or auto"
        )
    if asked != "auto":
        return Choice("heap", asked, f"HORNBOOK_HEAP is {asked}", True)
    if sharded:
        return Choice("heap", "leave", "a layer's weights are to take memory only while it computes")
    return (
        Choice("heap", "keep", "the allocator is glibc's")
        if glibc
        else Choice("heap", "leave", "the allocator isn't glibc's")
    )


def choose_huge_pages() -> Choice:
    """Choose whether PyTorch asks the kernel for huge pages (on) or not (off).

    It does on Linux. HORNBOOK_HUGE_PAGES (auto, on, off) forces the choice; else PyTorch's own THP_MEM_ALLOC_ENABLE
    decides, if it is set. Raises HornbookError for on without Linux, and for an unknown value.
    """
    asked = _asked("HORNBOOK_HUGE_PAGES", ("auto", "on", "off"))
    linux = sys.platform.startswith("linux")
    if asked == "on" and not linux:
        raise HornbookError(
            f"HORNBOOK_HUGE_PAGES is on, but PyTorch can ask for huge pages on Linux only, and this is {sys.platform}: "
            "set it to off or auto"
        )
    if asked != "auto":
        return Choice("huge pages", asked, f"HORNBOOK_HUGE_PAGES is {asked}", True)
    if not linux:
        return Choice("huge pages", "off", "PyTorch can ask for them on Linux only")
    # Hornbook itself sets it to 1, and the processes that it starts inherit this value.
    if (value := os.environ.get("THP_MEM_ALLOC_ENABLE", "1")) != "1":
        return Choice("huge pages", "off", f"THP_MEM_ALLOC_ENABLE is {value}", True)
    return Choice("huge pages", "on", "the system is Linux")


def own_kernels(device: torch.device) -> bool:
    """Tell whether this device uses Hornbook's own kernels (True), or PyTorch's (False).

    Hornbook's kernels are made for a CPU: attention, dropout, and the rows of the cross-entropy. HORNBOOK_KERNELS
    (auto, own, torch) forces the choice. The variable is read once, since every layer asks; after changing it, call
    `forget_kernels`. Raises HornbookError for own on a GPU, and for an unknown value.
    """
    asked = _asked_kernels()
    if asked == "own" and device.type not in ("cpu", "meta"):
        raise HornbookError(
            f"HORNBOOK_KERNELS is own, but Hornbook's kernels compute on a CPU only, and the device is {device.type}: "
            "set it to torch or auto, or HORNBOOK_DEVICE to cpu"
        )
    return asked != "torch" and device.type == "cpu"


@cache
def _asked_kernels() -> str:
    return _asked("HORNBOOK_KERNELS", ("auto", "own", "torch"))


def forget_kernels() -> None:
    """Make the next `own_kernels` read HORNBOOK_KERNELS again, for tests that change it in their own process."""
    _asked_kernels.cache_clear()


def choose_kernels() -> Choice:
    """Return the choice of `own_kernels` for the chosen device; raises HornbookError as it does."""
    device = choose_device().chosen
    chosen = "own" if own_kernels(torch.device(device)) else "torch"
    if (asked := _asked_kernels()) != "auto":
        return Choice("kernels", chosen, f"HORNBOOK_KERNELS is {asked}", True)
    return Choice("kernels", chosen, f"the device is {device}")


_INSTRUCTIONS = {"default": (), "avx2": ("avx2", "fma3"), "avx512": ("avx512_f", "avx512_bw", "avx512_vl")}
"""The values of ATEN_CPU_CAPABILITY on x86, and what each one needs of the processor."""


def choose_instructions() -> Choice:
    """Name the instruction set of PyTorch's kernels; PyTorch's own ATEN_CPU_CAPABILITY forces it.

    PyTorch reads the variable when it first computes, and doesn't check it: it ignores an unknown value, and crashes if
    the processor doesn't have the instructions. Raises HornbookError in both cases.
    """
    chosen, asked = torch.backends.cpu.get_cpu_capability(), os.environ.get("ATEN_CPU_CAPABILITY", "")
    if not asked:
        return Choice("instruction set", chosen, "the best that PyTorch has for this processor")
    if platform.machine().lower() in ("x86_64", "amd64"):
        _asked("ATEN_CPU_CAPABILITY", tuple(_INSTRUCTIONS))
        found = _capabilities()
        missing = [one for one in _INSTRUCTIONS[asked] if not found.get(one, True)]
        if missing:
            raise HornbookError(
                f"ATEN_CPU_CAPABILITY is {asked}, but {processor()} has no {', '.join(missing)}: "
                "set it to default, or unset it"
            )
    return Choice("instruction set", chosen, f"ATEN_CPU_CAPABILITY is {asked}", True)


def processor() -> str:
    """Name the processor as well as this system can."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return str(_capabilities().get("cpu_name") or platform.processor() or platform.machine())


def choose(precision: str, threads: Choice, sharded: bool = False) -> list[Choice]:
    """Make all choices; `precision` is the recipe's, `threads` is chosen in threads.py, `sharded` as in `choose_heap`.

    Raises HornbookError for a choice that isn't possible here.
    """
    return [
        choose_device(),
        choose_precision(precision),
        choose_kernels(),
        threads,
        choose_instructions(),
        choose_heap(sharded),
        choose_huge_pages(),
    ]


def describe(choices: Sequence[Choice]) -> dict[str, dict[str, str]]:
    """Return choices by name, each with `chosen` and `why`, for a record in JSON."""
    return {choice.name: {"chosen": choice.chosen, "why": choice.why} for choice in choices}


def device_name() -> str:
    """Return the GPU's name if `choose_device` chooses it, else cpu; raises HornbookError as it does."""
    return torch.cuda.get_device_name() if choose_device().chosen == "cuda" else "cpu"


def _asked(variable: str, allowed: Sequence[str]) -> str:
    """Read a variable; the default is the first allowed value. Raises HornbookError for a value that isn't allowed."""
    value = os.environ.get(variable) or allowed[0]
    if value not in allowed:
        raise HornbookError(f"{variable} is {value!r}: set it to {', '.join(allowed[:-1])} or {allowed[-1]}")
    return value


def _capabilities() -> Mapping[str, object]:
    """Return what PyTorch knows of the processor; empty if this release of PyTorch doesn't tell."""
    return torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
