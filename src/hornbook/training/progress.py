"""What a person sees while work goes on: bars on a terminal, a line now and then elsewhere, all of it on stderr."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_PAUSE = 15.0
"""Seconds between lines where there is no terminal."""


class Reporter:
    """Tells a person how far things are; silent where another process tells it already."""

    def __init__(self, silent: bool = False) -> None:
        self.console = Console(stderr=True, quiet=silent, highlight=False)

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(text, markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Print a line that should be read."""
        self.console.print(f"warning: {text}", style="yellow", markup=False, soft_wrap=True)

    @contextmanager
    def counting(self, title: str, unit: str) -> Iterator[Callable[[int], None]]:
        """Show how much of something without a known end is done; gives a function that adds to it."""
        began, done = time.perf_counter(), 0
        with self._bars(
            SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.fields[done]}")
        ) as bars:
            task = bars.add_task(title, total=None, done="")

            def advance(count: int) -> None:
                nonlocal done
                done += count
                bars.update(
                    task, done=f"{_short(done)} {unit}, {_short(done / (time.perf_counter() - began))}/s"
                )

            yield advance
        self.say(f"{title}: {_short(done)} {unit} in {time.perf_counter() - began:.1f} s")

    @contextmanager
    def steps(self, title: str, first: int, last: int) -> Iterator[Callable[[int, str], None]]:
        """Show steps `first` to `last`; gives a function that takes the step reached and the figures beside it."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        began = spoken = time.perf_counter()
        with self._bars(*columns) as bars:
            task = bars.add_task(title, total=last, completed=first, figures="")

            def reach(step: int, figures: str) -> None:
                nonlocal spoken
                bars.update(task, completed=step, figures=figures)
                now = time.perf_counter()
                if not self.console.is_terminal and (now - spoken > _PAUSE or step == last):
                    spoken = now
                    left = (now - began) / max(step - first, 1) * (last - step)
                    self.say(f"{title}: step {step:,} of {last:,}, {figures}, {left / 60:.1f} min left")

            yield reach

    @contextmanager
    def shares(self) -> Iterator[Callable[[str, float], None]]:
        """Show what is being done and the share of it that is done; gives a function that takes both."""
        columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
        spoken = time.perf_counter()
        with self._bars(*columns) as bars:
            tasks: dict[str, TaskID] = {}

            def tell(title: str, share: float) -> None:
                nonlocal spoken
                if title not in tasks:
                    tasks[title] = bars.add_task(title, total=1.0)
                bars.update(tasks[title], completed=share)
                if not self.console.is_terminal and time.perf_counter() - spoken > _PAUSE:
                    spoken = time.perf_counter()
                    self.say(f"{title}: {100 * share:.0f} %")

            yield tell

    def _bars(self, *columns: object) -> Progress:
        return Progress(*columns, console=self.console, disable=not self.console.is_terminal, transient=True)  # type: ignore[arg-type]


def _short(number: float) -> str:
    """Write a count in four characters or so: 950, 12.3k, 4.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return f"{number:.0f}"
