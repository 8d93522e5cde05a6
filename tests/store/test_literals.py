"""Special tokens that are written out in a corpus: one rule, and nothing changes where there are none."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import AddedToken
from transformers import PreTrainedTokenizerBase

from hornbook.store import TokenStore, build
from hornbook.tokenizers import DENSE, STYLES, TokenizerOptions, build_fast_tokenizer, train


@pytest.fixture(scope="module")
def tokenizer(stories: list[str]) -> PreTrainedTokenizerBase:
    trained = train(stories, TokenizerOptions(vocab_size=500), STYLES["gpt"], 0)
    dressed = build_fast_tokenizer(trained, "causal", 64, STYLES["gpt"])
    dressed.add_special_tokens(
        {"extra_special_tokens": [AddedToken(DENSE, special=True, normalized=False)]},
        replace_extra_special_tokens=False,
    )
    return dressed


@pytest.mark.parametrize("sentences", [False, True])
def test_the_rule(
    sentences: bool, tokenizer: PreTrainedTokenizerBase, stories: list[str], tmp_path: Path
) -> None:
    end, dense = tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(DENSE)

    def made(name: str, texts: list[str], rule: str) -> TokenStore:
        return build(tmp_path / name, texts, tokenizer, end, sentences=sentences, special=rule)

    plain, special = made("plain", stories[:20], "text"), made("special", stories[:20], "special")
    expected = [id for text in stories[:20] for id in (*tokenizer(text)["input_ids"], end)]
    assert plain.tokens.tolist() == expected
    assert (plain.folder / "tokens.bin").read_bytes() == (special.folder / "tokens.bin").read_bytes()
    assert plain.literals == special.literals == {}
    written = [f"{stories[0]}<|endoftext|>{stories[1]}", f"The cat<|dense|><|dense|> sat. {stories[2]}"]
    as_text, as_tokens = made("text", written, "text"), made("tokens", written, "special")
    assert as_text.literals == as_tokens.literals == {"<|endoftext|>": 1, DENSE: 2}
    assert as_tokens.tokens.tolist() == [
        id for text in written for id in (*tokenizer(text)["input_ids"], end)
    ]
    for store, ends in ((as_text, 2), (as_tokens, 3)):
        assert int((store.tokens == end).sum()) == ends and int((store.tokens == dense).sum()) == 2
        assert tokenizer.decode(store.document(0)[:-1]) == written[0]
        assert TokenStore.open(store.folder, tokenizer).literals == store.literals
        assert np.array_equal(
            store.ends, np.flatnonzero(store.tokens == end)[[0, 1] if ends == 2 else [1, 2]] + 1
        )
