"""The regular expressions and replacements of a tokenizer.json: none may take all time or memory."""

import re
from math import prod
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError

_LONGEST = 2**16
_GROWTH = 1024
"""How many times longer all replacements of a tokenizer together may make a text."""
_OFTEN = 9
_TOKEN = re.compile(
    r"(?P<back>\\[1-9]|\\[kg]<)|\\.|(?P<open>\(\?[#=!:>]|\(\?<[=!]|\(\?<\w+>|\(\?[a-z-]+[:)]|\()|(?P<close>\))"
    r"|(?P<or>\|)|(?P<times>[*+?]|\{\d*,?\d*\})|\[|.",
    re.DOTALL,
)


def check_patterns(tokenizer: dict[str, Any], where: Path) -> None:
    """Refuse regular expressions whose time can double with every letter, and replacements that flood the memory.

    Such an expression repeats a group in which something varies, or refers back to a group (Friedl, Mastering Regular
    Expressions, chapter 6). Raises HornbookError with the expression. `tokenizer` is the content of a tokenizer.json.
    """
    growth = []
    left = [tokenizer.get(part) for part in ("normalizer", "pre_tokenizer", "decoder")]
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += one
        elif isinstance(one, dict):
            left += one.values()
            if isinstance(pattern := one.get("Regex"), str) and (why := _endless(pattern)):
                raise HornbookError(
                    f"{where}: its regular expression {pattern!r:.80} {why}, which can take for ever on a text: take "
                    "a tokenizer without it"
                )
            if one.get("type") == "Replace" and isinstance(content := one.get("content"), str):
                found = one.get("pattern")
                taken = found.get("String") if isinstance(found, dict) else None
                growth.append(max(1, len(content) / max(1, len(taken) if isinstance(taken, str) else 1)))
    if prod(growth) > _GROWTH:
        raise HornbookError(
            f"{where}: its replacements make a text up to {prod(growth):,.0f} times longer, and at most {_GROWTH:,} is "
            "opened: take a tokenizer without them"
        )


def _endless(pattern: str) -> str | None:
    """Say why an expression may need exponential time; None where it repeats no group in which something varies."""
    if len(pattern) > _LONGEST:
        return f"has {len(pattern):,} characters"
    groups, closed, at = (
        [False],
        False,
        0,
    )  # of each open group, and of the one just closed: whether something varies
    while at < len(pattern):
        found = _TOKEN.match(pattern, at)
        assert found is not None  # it ends in . with DOTALL
        at = _after_class(pattern, at) if found[0] == "[" else found.end()
        if found["back"]:
            return "refers back to a group"
        if found["times"]:
            often = _most(found["times"])
            if closed and often > _OFTEN:
                return "repeats a group that itself varies in length"
            groups[-1] |= not re.fullmatch(r"\{\d+\}", found["times"])
        elif found["or"]:
            groups[-1] = True
        closed = False
        if found["open"] and not found["open"].endswith(")"):
            groups.append(False)
        elif found["close"] and len(groups) > 1:
            closed = groups.pop()
            groups[-1] |= closed
    return None


def _most(times: str) -> float:
    """Give how often a quantifier repeats at most."""
    if times in "*+":
        return float("inf")
    last = times.strip("{}").rpartition(",")[2]
    return 1 if times == "?" else float(last) if last else float("inf")


def _after_class(pattern: str, at: int) -> int:
    """Find the end of the character class that begins at a place; classes can stand in each other."""
    depth = 0
    while at < len(pattern):
        one = pattern[at]
        depth += (one == "[") - (one == "]")
        at += 2 if one == "\\" else 1
        if depth == 0:
            break
        if one == "[" and pattern[at : at + 1] == "]":  # as the first of a class, it is a letter
            at += 1
    return at
