"""What a run's exact bits depend on, apart from its recipe and corpus."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from hornbook.machine import Choice, processor

_CHOICES = ("device", "precision", "kernels", "threads", "instruction set")
"""Choices that change the order of sums, the random numbers or the rounding; how memory is kept changes none."""

_LIBRARIES = ("hornbook", "torch", "transformers", "numpy")


def bits_depend_on(choices: Sequence[Choice], processes: int = 1) -> dict[str, str]:
    """Return these conditions by name: on a CPU, the same run under the same conditions gives the same bits."""
    return (
        {choice.name: choice.chosen for choice in choices if choice.name in _CHOICES}
        | {"processor": processor(), "processes": str(processes)}
        | {f"{library} release": version(library) for library in _LIBRARIES}
    )


def not_the_same(began: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Say which conditions changed since a run began, and what follows; an empty text if none did."""
    changed = [
        f"{name} was {began[name]} and is now {value}"
        for name, value in now.items()
        if began.get(name, value) != value
    ]
    if not changed:
        return ""
    return (
        f"this run began under other conditions: {'; '.join(changed)}. It goes on, but from here on it is not the same "
        "run bit for bit: for the same bits, bring the old conditions back"
    )
