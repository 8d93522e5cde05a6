"""The run's log: one JSON line for each thing that happened, in log.jsonl."""

import json
from pathlib import Path
from typing import Any

from hornbook.atomic import beside


class Log:
    """Appends to log.jsonl; a run that goes on first drops the lines of steps that it will do again."""

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


def _step(line: str) -> float:
    """Read a line's step; a line torn by a kill counts as one that will be written again."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
