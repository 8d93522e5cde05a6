"""Report progress through `logging`; on a terminal, the command line shows bars instead."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOGGER = logging.getLogger("hornbook")

_PAUSE = 15.0
"""Seconds between lines about the same work."""


class Reporter:
    """Reports progress; `silent` if another process already reports it."""

    bars = False
    """Whether progress is shown as bars, so that no lines about it are needed."""

    def __init__(self, silent: bool = False) -> None:
        self.silent = silent
        self._told: set[str] | None = None

    def say(self, text: str) -> None:
        """Log a line."""
        if not self.silent and not self._again(text):
            LOGGER.info(text)

    def warn(self, text: str) -> None:
        """Log a warning."""
        if not self.silent and not self._again(text):
            LOGGER.warning(text)

    @contextmanager
    def each_once(self) -> Iterator[None]:
        """For a while, log each line only once: what is made for several runs says the same of each."""
        self._told = set()
        try:
            yield
        finally:
            self._told = None

    def _again(self, text: str) -> bool:
        if self._told is None:
            return False
        before = text in self._told
        self._told.add(text)
        return before

    @contextmanager
    def counting(self, title: str, unit: str) -> Iterator[Callable[[int], None]]:
        """Report work without a known end; yield a function that adds to the count of what is done."""
        began, done = time.perf_counter(), 0

        def advance(count: int) -> None:
            nonlocal done
            done += count

        yield advance
        self.say(f"{title}: {short(done)} {unit} in {time.perf_counter() - began:.1f} s")

    @contextmanager
    def steps(self, title: str, first: int, last: int) -> Iterator[Callable[[int, str], None]]:
        """Report steps `first` to `last`; yield a function that takes the step reached and a line of figures."""
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
        """Report the share of some work that is done; yield a function that takes the work's title and the share."""
        spoken = time.perf_counter()

        def tell(title: str, share: float) -> None:
            nonlocal spoken
            if time.perf_counter() - spoken > _PAUSE:
                spoken = time.perf_counter()
                self.say(f"{title}: {100 * share:.0f} %")

        yield tell


def short(number: float) -> str:
    """Format a count in about four characters: 950, 12.3k, 4.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return f"{number:.0f}"
