"""Expressions that published tokenizers have pass; those whose time doubles with a letter don't."""

from pathlib import Path
from typing import Any

import pytest

from hornbook.errors import HornbookError
from hornbook.gate import check_patterns

CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d"
PUBLISHED = [
    rf"{CONTRACTIONS}| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?!\S)|\s+",  # GPT-2
    rf"(?i:{CONTRACTIONS})|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|\s*[\r\n]+|\s+(?!\S)|\s+",  # Llama 3
    rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{M}}]*[\p{{Ll}}\p{{M}}]+(?i:{CONTRACTIONS})?| ?[^\s\p{{L}}]+[\r\n/]*",  # o200k
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+""",  # DeepSeek
    r" ?[^(\s|[.,!?…。，、।۔،])]+",  # BLOOM
    r"\d{1,3}(?=(?:\d{3})*\b)",  # digits in groups of three
    r"[\p{Lu}&&[^\p{Han}]]*[]a]+(?<name>b)?",
    r"\A +|[ ▁]+\z",
    " {2,}",
]
ENDLESS = [
    r"(a+)+$",
    r"(\w+\s*)+\d$",
    r"(a|a)*b",
    r"(?:x+x+)+y",
    r"^(([a-z])+.)+[A-Z]",
    r"(a?){40}a{40}",
    r"(?<n>a+)+",
    r"(?i:a+)*b",
    r"(?i)([a]+)+",
    r"(a{2,})*",
    r"(.*)\1\1z",
    r"(?<x>a\g<x>?b)",
    "a" * 70_000,
]


def tokenizer(pattern: str, part: str = "pre_tokenizer") -> dict[str, Any]:
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return {"version": "1.0", part: {"type": "Sequence", "pretokenizers": [split]}}


@pytest.mark.parametrize("pattern", PUBLISHED)
def test_published_ones_pass(pattern: str) -> None:
    check_patterns(tokenizer(pattern), Path("tokenizer.json"))


@pytest.mark.parametrize("part", ["pre_tokenizer", "normalizer", "decoder"])
@pytest.mark.parametrize("pattern", ENDLESS)
def test_endless_ones_are_refused(pattern: str, part: str) -> None:
    with pytest.raises(HornbookError, match=r"regular expression .* can take for ever"):
        check_patterns(tokenizer(pattern, part), Path("tokenizer.json"))


@pytest.mark.parametrize("pattern", ["(", "[", "\\", "a{", "(?", "[[]", ")", "a**", "{3}"])
def test_torn_ones_are_left_to_the_library(pattern: str) -> None:
    check_patterns(tokenizer(pattern), Path("tokenizer.json"))


def test_replacements_that_flood_the_memory() -> None:
    one = {"type": "Replace", "pattern": {"String": "o"}, "content": "o" * 10}
    check_patterns({"normalizer": {"type": "Sequence", "normalizers": [one] * 3}}, Path("t"))
    with pytest.raises(HornbookError, match="up to 10,000 times longer"):
        check_patterns({"normalizer": {"type": "Sequence", "normalizers": [one] * 4}}, Path("t"))
