"""Blanks in a text that a model is to fill."""

import re

from transformers import PreTrainedTokenizerBase

BLANK = re.compile(r" ?(?:<mask>|\[MASK\]|<extra_id_\d+>|_{3,})")
"""Any of the usual ways to write a blank, with the space before it: a model fills in a word and its space."""


def cut(text: str) -> list[str]:
    """Cut a text at its blanks: one part more than there are blanks."""
    return BLANK.split(text)


def written(tokenizer: PreTrainedTokenizerBase, context: list[int], ids: list[int]) -> str:
    """Decode ids as they read after `context`: with the space before them, where they begin a word."""
    before = tokenizer.decode(context, skip_special_tokens=True)
    both = tokenizer.decode(context + ids, skip_special_tokens=True)
    return (
        both.removeprefix(before)
        if both.startswith(before)
        else tokenizer.decode(ids, skip_special_tokens=True)
    )


def join(before: str, filled: str, after: str, marks: tuple[str, str] = ("", "")) -> str:
    """Put what was written between two parts of a text, where there is a space already without its own."""
    word = filled.lstrip(" ")
    space = " " if word != filled and before and not before[-1].isspace() else ""
    return f"{before}{space}{marks[0]}{word}{marks[1]}{after}"
