"""Which words of a text two tokenizers split differently."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest

from tokenizers import Tokenizer

from hornbook.tokenizers.words import batches, count_words


@dataclass(frozen=True)
class Split:
    """A word that is split differently."""

    word: str
    """As the pre-tokenizer gives it."""
    times: int
    """How often it occurs."""
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class Splits:
    """How much of a text is split differently."""

    words: int
    """Words of the text."""
    words_changed: int
    """Those among them that are split differently."""
    distinct: int
    """Different words."""
    distinct_changed: int
    """Those among them that are split differently."""
    tokens_before: int
    """Tokens of the text under the old tokenizer."""
    tokens_changed: int
    """Those among them that are gone."""
    tokens_after: int
    """Tokens of the text under the new tokenizer."""
    examples: tuple[Split, ...]
    """The commonest of the changed words."""


def compare_splits(old: Tokenizer, new: Tokenizer, documents: Iterable[str], examples: int = 10) -> Splits:
    """Compare how two tokenizers split the words of a text; both must find the same words. Special tokens are text."""
    words = count_words(batches(documents), old)
    changed: list[Split] = []
    before_count = after_count = lost = 0
    for word, times in words.items():
        before, after = (tuple(part.value for part in one.model.tokenize(word)) for one in (old, new))
        before_count += times * len(before)
        after_count += times * len(after)
        if before != after:
            lost += times * (Counter(before) - Counter(after)).total()
            changed.append(Split(word, times, before, after))
    return Splits(
        words=sum(words.values()),
        words_changed=sum(split.times for split in changed),
        distinct=len(words),
        distinct_changed=len(changed),
        tokens_before=before_count,
        tokens_changed=lost,
        tokens_after=after_count,
        examples=tuple(nlargest(examples, changed, key=lambda split: split.times)),
    )
