"""What a person sees while work goes on: lines, and bars on a terminal, all of it on stderr."""

import logging

from rich.console import Console

from hornbook.cli.bars import Bars
from hornbook.reporter import LOGGER, Reporter

CONSOLE = Console(stderr=True, highlight=False)


class _Lines(logging.Handler):
    """Prints Hornbook's log, with warnings in yellow, above the bars if there are any."""

    def emit(self, record: logging.LogRecord) -> None:
        warns = record.levelno >= logging.WARNING
        text = f"warning: {record.getMessage()}" if warns else record.getMessage()
        CONSOLE.print(text, style="yellow" if warns else None, markup=False, soft_wrap=True)


def make_reporter(silent: bool = False) -> Reporter:
    """Print the log on the console, and return what reports progress: bars if the console is a terminal."""
    if not any(isinstance(handler, _Lines) for handler in LOGGER.handlers):
        LOGGER.addHandler(_Lines())
    LOGGER.setLevel(logging.INFO)
    return Bars(CONSOLE) if CONSOLE.is_terminal and not silent else Reporter(silent)
