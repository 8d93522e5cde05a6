"""What a person sees while a command works; `hornbook.console` has it for notebooks, too."""

from hornbook.console import CONSOLE, make_reporter

__all__ = ["CONSOLE", "make_reporter"]
