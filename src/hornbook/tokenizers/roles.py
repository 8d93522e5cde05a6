"""Who plays a role after a re-indexing: a role goes on, and takes its row with it."""

from collections.abc import Mapping

from hornbook.tokenizers.reindex import Reindexed
from hornbook.tokenizers.style import STYLES

_FIRST = ("eos_token", "bos_token")
"""The roles that inherit first from a token that played several: a model has learned that it ends a text."""


def roles_given(places: Mapping[str, int]) -> dict[str, str]:
    """Say which roles tokens with a place play, by their names: in a style that is complete here, else in any."""
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
    """Say which token lives on under which new name: one whose every role is given to others, among them a new token.

    `declared` are the roles as they were, `given` those that are given now, `entries` the old vocabulary. So a role
    keeps its row in a model that is taken along. A token that played several roles has one heir: its end of text,
    else its beginning, else the first.
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
    """Say which token plays which role now: as given, else the one that did, as far as it lives on."""
    there = done.tokenizer.get_vocab().keys()
    carried = {role: done.renamed.get(token, token) for role, token in declared.items()}
    return {role: token for role, token in carried.items() if token in there} | dict(given)
