"""The one exception that a user of Hornbook is meant to read."""


class HornbookError(Exception):
    """Something that the user can mend: what is wrong, the values found, and the fix, on one line.

    The command line prints it without a traceback and exits with code 2. Anything else that escapes is a bug.
    """


def nearest(word: str, known: list[str]) -> str:
    """Name what `word` may have meant: `"; did you mean 'length'?"`, or every known word when none is close."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(known)}" if known else ""
