"""What a person sees while work goes on: lines, and bars on a terminal or in a notebook."""

import logging
from importlib.util import find_spec

from rich.console import Console

from hornbook.bars import Bars
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
    return Bars(CONSOLE) if _draws() and not silent else Reporter(silent)


def reporter() -> Reporter:
    """Give what reports the progress of a function called from Python.

    In a notebook and on a terminal a person sees it, as from the command line. Elsewhere, and where a program on a
    terminal has handlers of its own for the log, it goes to `logging` alone.
    """
    own = [one for one in (*LOGGER.handlers, *logging.getLogger().handlers) if not isinstance(one, _Lines)]
    watched = CONSOLE.is_jupyter or (CONSOLE.is_terminal and not own)
    return make_reporter() if watched else Reporter()


def _draws() -> bool:
    """Tell whether bars can be drawn: a notebook needs ipywidgets for them, and has lines without."""
    return find_spec("ipywidgets") is not None if CONSOLE.is_jupyter else CONSOLE.is_terminal
