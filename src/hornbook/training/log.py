"""The run's log, log.jsonl: one JSON line for each event."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from hornbook.atomic import beside


class Log:
    """Appends to log.jsonl; a resumed run first drops the lines of steps that it will take again."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        if path.exists():
            kept = [line for line in path.read_text("utf-8").splitlines() if _step(line) <= step]
            with beside(path) as file:
                file.write_text("".join(f"{line}\n" for line in kept), "utf-8")

    def write(self, kind: str, facts: dict[str, Any]) -> None:
        """Add a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, **facts}) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read the lines of a log, but for one that a kill left incomplete; nothing where there is no log yet."""
    found = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


def _step(line: str) -> float:
    """Read a line's step; an incomplete line counts as infinite, so that it is dropped."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
