"""A contender's process: orders come in on stdin, answers go out on stdout."""

import argparse
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from benchmarks.speed.contenders import find
from benchmarks.speed.contenders.contender import Task
from benchmarks.speed.gate import Gate, forget_peak
from benchmarks.speed.material import Material
from hornbook.quiet import quieten_transformers


def own_pipe() -> IO[str]:
    """Keep stdout for answers: whatever a library prints goes to stderr."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return pipe


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("contender")
    parser.add_argument("material", type=Path)
    parser.add_argument("--nanogpt", type=Path)
    parser.add_argument("--log-every", type=int, default=10)
    parser.add_argument("--learn", type=float, help="train for so many seconds instead, and save the model")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    gate = Gate(sys.stdin, own_pipe())
    quieten_transformers()
    contender: Any = find(
        given.contender, Task(Material.read(given.material), given.nanogpt, given.log_every)
    )
    if given.learn is not None:
        learned = contender.learn(given.learn, given.out)
        gate.answer(**asdict(learned) | {"folder": str(learned.folder), "about": contender.about()})
        return
    gate.answer(about=contender.about(), loss=contender.check())
    forget_peak()
    contender.train(gate)


if __name__ == "__main__":
    main()
