"""How far things are, told to whoever listens through `logging`. A command line shows bars instead, on a terminal."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOGGER = logging.getLogger("hornbook")

_PAUSE = 15.0
"""Seconds between lines about the same work."""


class Reporter:
    """Tells how far things are; silent where another process tells it already."""

    bars = False
    """Whether work is shown as it goes on, so that lines about how far it is would be one too many."""

    def __init__(self, silent: bool = False) -> None:
        self.silent = silent

    def say(self, text: str) -> None:
        """Log a line."""
        if not self.silent:
            LOGGER.info(text)

    def warn(self, text: str) -> None:
        """Log a line that should be read."""
        if not self.silent:
            LOGGER.warning(text)

    @contextmanager
    def counting(self, title: str, unit: str) -> Iterator[Callable[[int], None]]:
        """Tell how much of something without a known end was done; gives a function that adds to it."""
        began, done = time.perf_counter(), 0

        def advance(count: int) -> None:
            nonlocal done
            done += count

        yield advance
        self.say(f"{title}: {short(done)} {unit} in {time.perf_counter() - began:.1f} s")

    @contextmanager
    def steps(self, title: str, first: int, last: int) -> Iterator[Callable[[int, str], None]]:
        """Tell of steps `first` to `last`; gives a function that takes the step reached and the figures beside it."""
        began = spoken = time.perf_counter()

        def reach(step: int, figures: str) -> None:
            nonlocal spoken
            now = time.perf_counter()
            if now - spoken > _PAUSE or step == last:
                spoken = now
                left = (now - began) / max(step - first, 1) * (last - step)
                self.say(f"{title}: step {step:,} of {last:,}, {figures}, {left / 60:.1f} min left")

        yield reach

    @contextmanager
    def shares(self) -> Iterator[Callable[[str, float], None]]:
        """Tell what is being done and the share of it that is done; gives a function that takes both."""
        spoken = time.perf_counter()

        def tell(title: str, share: float) -> None:
            nonlocal spoken
            if time.perf_counter() - spoken > _PAUSE:
                spoken = time.perf_counter()
                self.say(f"{title}: {100 * share:.0f} %")

        yield tell


def short(number: float) -> str:
    """Write a count in four characters or so: 950, 12.3k, 4.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return f"{number:.0f}"
