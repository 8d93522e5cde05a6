"""A small corpus of real English that every Python carries, and tokenizers trained from it."""

from collections.abc import Callable
from functools import cache
from pydoc_data.topics import topics

import pytest
from tokenizers import Tokenizer

from hornbook.tokenizers import STYLES, TokenizerOptions, train

SIZE = 1200
SENTINELS = 12


@pytest.fixture(scope="session")
def corpus() -> list[str]:
    return [topics[name] for name in sorted(topics)[:25]]


@pytest.fixture(scope="session")
def trained(corpus: list[str]) -> Callable[[str, str], Tokenizer]:
    """Give a copy of the tokenizer of a style and kind, so that no test sees what another did to it."""

    @cache
    def saved(style: str, kind: str) -> str:
        options = TokenizerOptions(kind=kind, vocab_size=SIZE)
        return train(corpus, options, STYLES[style], SENTINELS).to_str()

    return lambda style, kind: Tokenizer.from_str(saved(style, kind))
