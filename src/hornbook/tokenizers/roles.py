"""Which token has which role after a re-indexing: a role goes to a new token, and keeps its embedding row."""

from collections.abc import Mapping

from hornbook.tokenizers.reindex import Reindexed
from hornbook.tokenizers.style import STYLES

_FIRST = ("eos_token", "bos_token")
"""If a token had several roles, these come first: the model has learned that the token ends a text."""


def roles_given(places: Mapping[str, int]) -> dict[str, str]:
    """Return the roles of tokens with a place, by the styles that `places` holds completely, else by all styles."""
    complete = [style for style in STYLES.values() if places.keys() >= {*style.front, *style.back}]
    given: dict[str, str] = {}
    for style in complete or STYLES.values():
        for role, token in style.roles.items():
            if token in places:
                given.setdefault(role, token)
    return given


def heirs(
    declared: Mapping[str, str], given: Mapping[str, str], entries: Mapping[str, int]
) -> dict[str, str]:
    """Return the new names of old tokens: a token is renamed if all its roles go to others, and one of these is new.

    `declared` are the old roles, `given` the new ones, `entries` the old vocabulary. So a role keeps its row in the
    model's embedding. A token that had several roles becomes only one new token: that for the end of text, else that
    for its beginning, else that for the first role.
    """
    found: dict[str, str] = {}
    for role in sorted(declared, key=lambda role: _FIRST.index(role) if role in _FIRST else len(_FIRST)):
        token, heir = declared[role], given.get(role)
        left = [other for other, held in declared.items() if held == token and other not in given]
        kept = left or token in given.values()
        if heir and not kept and heir not in entries and token not in found and heir not in found.values():
            found[token] = heir
    return found


def roles_after(declared: Mapping[str, str], given: Mapping[str, str], done: Reindexed) -> dict[str, str]:
    """Return the token of each role now: the given one, else the old one if the vocabulary still has it."""
    there = done.tokenizer.get_vocab().keys()
    carried = {role: done.renamed.get(token, token) for role, token in declared.items()}
    return {role: token for role, token in carried.items() if token in there} | dict(given)
