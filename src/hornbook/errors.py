"""The exceptions that a user of Hornbook is meant to read: a small tree, whose sentences are the command line's."""


class Told(Exception):
    """What is told in a sentence, without a traceback: on the command line, and in a notebook."""

    def _render_traceback_(self) -> list[str]:
        """Give IPython what it shows in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class HornbookError(Told):
    """Something that the user can mend: what is wrong, the values found, and the fix, on one line.

    The command line prints it without a traceback and exits with code 2. Anything else that escapes is a bug.
    """


class Damaged(HornbookError):
    """A file of Hornbook's own was torn or altered, or can't be read; what was done with it once may be done anew."""


class SharedError(HornbookError):
    """An error that all processes of a run know of, so that only the first of them tells it."""


class Interrupted(Told):
    """A run was asked to stop by a signal, and did so with everything saved.

    The command line prints it and exits with 128 + the signal's number, as shells do.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


def nearest(word: str, known: list[str]) -> str:
    """Name what `word` may have meant: `"; did you mean 'length'?"`, or every known word when none is close."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(known)}" if known else ""


def one_line(error: BaseException) -> str:
    """Put another library's error on one line, for use inside a sentence."""
    return " ".join((str(error).strip() or type(error).__name__).split())[:300]
