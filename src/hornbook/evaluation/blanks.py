"""Blanks in a text, which a model fills."""

import re

from transformers import PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.loading import LoadedModel

BLANK = re.compile(r" ?(?:<mask>|\[MASK\]|<extra_id_\d+>|_{3,})")
"""The usual ways to write a blank, with the space before it: a model fills in a word with its space."""


def cut(text: str) -> list[str]:
    """Cut a text at its blanks: one part more than there are blanks."""
    return BLANK.split(text)


def refuse_long(loaded: LoadedModel, ids: list[int]) -> None:
    """Raise HornbookError for a text of more tokens than the model takes."""
    if len(ids) > loaded.length:
        raise HornbookError(
            f"the text has {len(ids)} tokens, and {loaded.name} takes {loaded.length}: shorten it"
        )


def written(tokenizer: PreTrainedTokenizerBase, context: list[int], ids: list[int]) -> str:
    """Decode ids as they read after `context`: with a space before them if they begin a word."""
    before = tokenizer.decode(context, skip_special_tokens=True)
    both = tokenizer.decode(context + ids, skip_special_tokens=True)
    return (
        both.removeprefix(before)
        if both.startswith(before)
        else tokenizer.decode(ids, skip_special_tokens=True)
    )


def join(before: str, filled: str, after: str, marks: tuple[str, str] = ("", "")) -> str:
    """Put the filled text between two parts of a text, and drop its first space if one is already there."""
    word = filled.lstrip(" ")
    space = " " if word != filled and before and not before[-1].isspace() else ""
    return f"{before}{space}{marks[0]}{word}{marks[1]}{after}"
