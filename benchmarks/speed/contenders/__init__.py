"""Who takes part, one file each: a training loop that stands as its authors made it, and stops at the gate."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from benchmarks.speed.contenders.contender import Contender, Task

NAMES = {
    "trainer": "Hugging Face Trainer",
    "nanogpt": "nanoGPT",
    "litgpt": "LitGPT",
    "hornbook": "Hornbook",
    "limit": "matrix products alone",
}
"""What they are called in tables."""


def absent(name: str, nanogpt: Path | None) -> str | None:
    """Say why a contender can't take part here; None where it can."""
    if name == "litgpt" and find_spec("litgpt") is None:
        return "litgpt isn't installed"
    if name == "nanogpt" and nanogpt is None:
        return "no clone is given with --nanogpt"
    if name == "nanogpt" and nanogpt is not None and not (nanogpt / "train.py").exists():
        return f"{nanogpt} has no train.py"
    return None


def find(name: str, task: Task) -> Contender:
    """Make the contender of this name, importing its library and no other's."""
    contender: Contender = import_module(f"{__name__}.{name}").make(task)
    return contender
