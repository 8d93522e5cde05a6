"""What a re-indexing did, in words."""

from typing import Any

_SHOWN = 12
"""How many tokens of each sort are named; the facts name all of them."""


def describe(facts: dict[str, Any]) -> list[str]:
    """Describe in lines what happened to the tokens, from the facts that `hornbook.tokenizer.reindex` returns."""
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
            f"{text['words_changed']:,} of the text's {text['words']:,} words are split differently "
            f"({text['distinct_changed']:,} of {text['distinct']:,} distinct words); {text['tokens_changed']:,} of its "
            f"{text['tokens_before']:,} tokens are gone, and it now has {text['tokens_after']:,} tokens"
        )
        lines.extend(
            f"  {one['times']:,} × {' '.join(one['before'])}  now {' '.join(one['after'])}"
            for one in text["examples"]
        )
    lines.extend(f"left out: {name}, since {why}" for name, why in facts["left_out"].items())
    lines.append(f"the template is that of a {facts['template']} model; written to {facts['out']}")
    return lines
