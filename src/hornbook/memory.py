"""How much memory this process can still take. `machine.py` makes the machine's other choices."""

import os
import re
from pathlib import Path
from typing import NamedTuple

import torch

from hornbook.errors import HornbookError
from hornbook.machine import choose_device

_PROC, _GROUPS = Path("/proc"), Path("/sys/fs/cgroup")


class Available(NamedTuple):
    """Memory that can still be taken."""

    bytes: int
    what: str
    """What has so much, for messages: "this machine has"."""


def available_memory() -> Available | None:
    """Tell how much can be taken until the system refuses or kills; None where nothing tells it.

    On a GPU it is what PyTorch finds free; else Linux's memory with swap, or less where a control group limits it
    (containers, batch systems). HORNBOOK_MEMORY, in GiB, forces it. Raises HornbookError for an invalid value.
    """
    if asked := os.environ.get("HORNBOOK_MEMORY"):
        if not re.fullmatch(r"\d+(\.\d+)?", asked) or not float(asked):
            raise HornbookError(
                f"HORNBOOK_MEMORY is {asked!r}, and has to be GiB above 0: set it so, or unset it"
            )
        return Available(int(float(asked) * 2**30), "HORNBOOK_MEMORY says")
    if choose_device().chosen == "cuda":
        return Available(int(torch.cuda.mem_get_info()[0]), "the GPU has")
    found = [one for one in (_machine(), *_limits()) if one is not None]
    return min(found, default=None)


def _machine() -> Available | None:
    """Read Linux's own estimate of what can be taken without swapping, and the swap."""
    try:
        told = dict(re.findall(r"^(\w+):\s+(\d+) kB", (_PROC / "meminfo").read_text(), re.MULTILINE))
        return Available(
            1024 * (int(told["MemAvailable"]) + int(told.get("SwapFree", 0))), "this machine has"
        )
    except (OSError, KeyError):
        return None


def _limits() -> list[Available]:
    """Read what the control groups of this process leave, each of them and those around it (cgroup v2, then v1)."""
    try:
        lines = (_PROC / "self" / "cgroup").read_text().split()
    except OSError:
        return []
    found = []
    for line in lines:
        _, kind, path = line.split(":", 2)
        if kind not in ("", "memory"):
            continue
        root = _GROUPS / kind
        limit, used = (
            ("memory.limit_in_bytes", "memory.usage_in_bytes") if kind else ("memory.max", "memory.current")
        )
        place = root / path.lstrip("/")
        for group in (place, *place.parents):
            try:
                cache = re.search(r"^inactive_file (\d+)", (group / "memory.stat").read_text(), re.MULTILINE)
                left = int((group / limit).read_text()) - int((group / used).read_text())
            except (OSError, ValueError):  # no such group, or its limit is "max"
                continue
            found.append(Available(max(0, left + int(cache[1] if cache else 0)), "this process's group has"))
            if group == root:
                break
    return found
