"""The machine and the libraries that a benchmark ran on, for its record."""

import os
import platform
import shlex
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

_UNITS = ("avx2", "avx512_f", "avx512_bf16", "amx_bf16", "amx_tile")
_LIBRARIES = ("hornbook", "torch", "transformers", "accelerate", "datasets", "numpy", "litgpt")


def describe() -> dict[str, Any]:
    """Describe the machine as it is now."""
    capabilities = torch.cpu.get_capabilities()
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "units": [unit for unit in _UNITS if capabilities.get(unit)],
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _LIBRARIES},
        "commit": _commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        # Names alone: where the files lie is nobody else's matter.
        "command": shlex.join(
            ["python", "-m", "benchmarks.speed", *(Path(word).name for word in sys.argv[1:])]
        ),
    }


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Name the commit of this checkout; with + where files differ from it."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+"]
    with suppress(OSError, subprocess.CalledProcessError):
        return subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL).strip()
    return None
