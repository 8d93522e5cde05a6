"""The run's log, log.jsonl: one JSON line for each event, with a checksum."""

import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hornbook.atomic import beside

_CHECK = "crc32"


class Log:
    """Appends to log.jsonl; a resumed run first drops the lines of steps that it will take again.

    `warn` is called where other lines are damaged, which are left out; the last one may have been cut off by a kill.
    """

    def __init__(self, path: Path, step: int, warn: Callable[[str], None] | None = None) -> None:
        self.path = path
        if not path.exists():
            return
        lines = path.read_text("utf-8", errors="replace").splitlines()
        read = [read_line(line) for line in lines]
        damaged = [number for number, facts in enumerate(read[:-1], 1) if facts is None]
        if damaged and warn:
            warn(
                f"{path}: {len(damaged)} lines were torn or altered, such as line {damaged[0]}; they are left out"
            )
        kept = [line for line, facts in zip(lines, read, strict=True) if facts and _step(facts) <= step]
        with beside(path) as file:
            file.write_text("".join(f"{line}\n" for line in kept), "utf-8")

    def write(self, kind: str, facts: dict[str, Any]) -> None:
        """Add a line."""
        told = json.loads(json.dumps({"kind": kind, **facts}))
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**told, _CHECK: _checksum(told)}) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read the lines of a log, but for those that are damaged or incomplete; nothing where there is no log yet."""
    lines = path.read_text("utf-8", errors="replace").splitlines() if path.exists() else ()
    return [facts for line in lines if (facts := read_line(line))]


def read_line(line: str) -> dict[str, Any] | None:
    """Read a line of a log; None if it is damaged. A line of an older version has no checksum."""
    with suppress(ValueError, RecursionError):
        facts = json.loads(line)
        if isinstance(facts, dict) and facts.pop(_CHECK, None) in (None, _checksum(facts)):
            return facts
    return None


def _step(facts: dict[str, Any]) -> float:
    step = facts.get("step")
    return step if isinstance(step, int | float) else float("inf")


def _checksum(facts: dict[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(facts).encode()):08x}"
