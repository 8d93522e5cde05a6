"""The memory that reading and tokenizing take doesn't grow with the number of documents."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from hornbook.store import build, tokens
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, train
from tests.store.test_long_document import MEGA, peak


@pytest.fixture(scope="module")
def tokenizer(stories: list[str]) -> PreTrainedTokenizerFast:
    trained = train(stories, TokenizerOptions(kind="bpe", vocab_size=420), STYLES["shared"], 0)
    return build_fast_tokenizer(trained, "causal", 32, STYLES["shared"])


def test_a_corpus_of_three_times_the_size(
    tokenizer: PreTrainedTokenizerFast, stories: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In small: 44 and 131 MB of text peaked at 612 and 624 MB of the whole process's memory."""
    monkeypatch.setattr(tokens, "_CHUNK", 50_000)

    def traced(times: int) -> int:
        def documents() -> Iterator[str]:
            for _ in range(times):
                yield from stories

        tracemalloc.start()
        build(tmp_path / str(times), documents(), tokenizer, tokenizer.eos_token_id)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    traced(1)  # what is made once
    assert traced(18) < 1.5 * traced(6)


@pytest.mark.slow
def test_a_whole_process_with_three_times_the_text(stories: list[str], tmp_path: Path) -> None:
    """With the memory of the tokenizer and its training, which Python doesn't see; a document is a line."""
    once, found = "\n".join(stories) + "\n", []
    for megabytes in (5, 15):
        path = tmp_path / str(megabytes) / "text.txt"
        path.parent.mkdir()
        path.write_text(once * (megabytes * MEGA // len(once)), "utf-8")
        found.append(peak(path, "line", False))
    assert found[1][0] > 2.9 * found[0][0] > 10_000
    assert found[1][1] < 1.1 * found[0][1], found
