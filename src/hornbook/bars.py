"""Work shown as bars, on a terminal and in a notebook."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from hornbook.reporter import Reporter, short


class Bars(Reporter):
    """Shows work as bars."""

    bars = True

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    @contextmanager
    def counting(self, title: str, unit: str) -> Iterator[Callable[[int], None]]:
        """Show how much is done of work whose end isn't known."""
        began, done = time.perf_counter(), 0
        columns = SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.fields[done]}")
        with super().counting(title, unit) as count, self._show(*columns) as bars:
            task = bars.add_task(title, total=None, done="")

            def advance(more: int) -> None:
                nonlocal done
                done += more
                count(more)
                speed = short(done / (time.perf_counter() - began))
                bars.update(task, done=f"{short(done)} {unit}, {speed}/s")

            yield advance

    @contextmanager
    def steps(self, title: str, first: int, last: int) -> Iterator[Callable[[int, str], None]]:
        """Show steps `first` to `last`, and the figures beside them."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with self._show(*columns) as bars:
            task = bars.add_task(title, total=last, completed=first, figures="")
            yield lambda step, figures: bars.update(task, completed=step, figures=figures)

    @contextmanager
    def shares(self) -> Iterator[Callable[[str, float], None]]:
        """Show what is being done and the share of it that is done."""
        with self._show(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()) as bars:
            tasks: dict[str, TaskID] = {}

            def tell(title: str, share: float) -> None:
                if title not in tasks:
                    tasks[title] = bars.add_task(title, total=1.0)
                bars.update(tasks[title], completed=share)

            yield tell

    def _show(self, *columns: ProgressColumn) -> Progress:
        return Progress(*columns, console=self.console, transient=True)
