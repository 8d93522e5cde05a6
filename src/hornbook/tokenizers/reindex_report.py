"""What a re-indexing did, in words."""

from typing import Any

_SHOWN = 12
"""Tokens of each sort that are named; the facts have all."""


def describe(facts: dict[str, Any]) -> list[str]:
    """Say in lines what has become of the tokens, from the facts that `hornbook.tokenizer.reindex` gives."""
    lines: list[str] = []

    def listed(title: str, tokens: list[str]) -> None:
        lines.append(f"{title}: {len(tokens):,}")
        lines.extend(f"  {token}" for token in tokens[:_SHOWN])
        if len(tokens) > _SHOWN:
            lines.append(f"  and {len(tokens) - _SHOWN:,} more; --json names all")

    listed("moved", [f"{token}  {ids['from']} to {ids['to']}" for token, ids in facts["moved"].items()])
    listed(
        "dropped",
        [f"{token}  now {' '.join(parts)}" if parts else token for token, parts in facts["dropped"].items()],
    )
    rows = facts["rows"] or {}
    listed(
        "added",
        [
            f"{token}  at {i}" + (f", with the row of {rows[token]}" if rows.get(token) else "")
            for token, i in facts["added"].items()
        ],
    )
    if facts["renamed"]:
        listed("renamed", [f"{old}  now {new}" for old, new in facts["renamed"].items()])
    if facts["text"]:
        text = facts["text"]
        lines.append(
            f"of the text's {text['words']:,} words, {text['words_changed']:,} are split differently "
            f"({text['distinct_changed']:,} of {text['distinct']:,} different ones); of its "
            f"{text['tokens_before']:,} tokens, {text['tokens_changed']:,} are no more, and there are now "
            f"{text['tokens_after']:,}"
        )
        lines.extend(
            f"  {one['times']:,} × {' '.join(one['before'])}  now {' '.join(one['after'])}"
            for one in text["examples"]
        )
    lines.extend(f"left out: {name}, for {why}" for name, why in facts["left_out"].items())
    lines.append(f"the template is that of a {facts['template']} model; written to {facts['out']}")
    return lines
