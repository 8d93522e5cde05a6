"""Ctrl-C and SIGTERM: finish the step, save, and say how to go on."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ECHO = 2.0
"""Seconds in which a second Ctrl-C counts as the same one: a launcher passes it on to processes that already got it."""


class Signals:
    """Remembers a signal, so that the loop can stop at a safe place."""

    received = 0


@contextmanager
def watch() -> Iterator[Signals]:
    """Record Ctrl-C and SIGTERM instead of stopping; a second Ctrl-C, after `_ECHO` seconds, stops at once.

    A second SIGTERM changes nothing: schedulers send it to the launcher and to its processes, and end with SIGKILL.
    """
    signals = Signals()
    if threading.current_thread() is not threading.main_thread():  # to which alone Python gives signals
        yield signals
        return
    first = 0.0

    def remember(number: int, frame: FrameType | None) -> None:
        nonlocal first
        again = signals.received == number == signal.SIGINT and time.monotonic() - first > _ECHO
        if not signals.received:
            first = time.monotonic()
        signals.received = number
        if again:
            signal.signal(number, before[signal.Signals(number)])
            signal.raise_signal(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, remember)
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
