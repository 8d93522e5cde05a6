"""Ctrl-C and SIGTERM: finish the step, save, and say how to go on."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Signals:
    """Remembers the signal that came, so that the loop can stop where it is safe."""

    received = 0


@contextmanager
def watch() -> Iterator[Signals]:
    """Take Ctrl-C and SIGTERM as a wish to stop; a second Ctrl-C stops at once."""
    signals = Signals()

    def remember(number: int, frame: FrameType | None) -> None:
        signals.received = number
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, remember)
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
