"""Special tokens that are written out in a text: text, or themselves exactly as Hugging Face reads them."""

from collections.abc import Callable

import pytest
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerBase

from hornbook.tokenizers import (
    DENSE,
    STYLES,
    Template,
    build_fast_tokenizer,
    count_literals,
    describe_literals,
    encode_at,
    encode_documents,
    standing,
)

KINDS: list[tuple[str, str, Template]] = [
    ("bert", "wordpiece", "masked"),
    ("albert", "unigram", "masked"),
    ("roberta", "bpe", "masked"),
    ("gpt", "bpe", "causal"),
    ("t5", "unigram", "seq2seq"),
]


@pytest.fixture(params=KINDS, ids=[f"{style}-{kind}" for style, kind, _ in KINDS])
def tokenizer(
    request: pytest.FixtureRequest, trained: Callable[[str, str], Tokenizer]
) -> PreTrainedTokenizerBase:
    """A tokenizer of each style, with a dense token behind everything else."""
    style, kind, template = request.param
    dressed = build_fast_tokenizer(trained(style, kind), template, 64, STYLES[style])
    dressed.add_special_tokens(
        {"extra_special_tokens": [AddedToken(DENSE, special=True, normalized=False)]},
        replace_extra_special_tokens=False,
    )
    return dressed


def theirs(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def test_as_tokens_they_are_read_as_hugging_face_reads_them(tokenizer: PreTrainedTokenizerBase) -> None:
    text = "the name" + " of it".join(tokenizer.all_special_tokens) + "value<|dense|><|dense|> and"
    (ids,) = encode_documents(tokenizer, [text], standing(tokenizer, "special"))
    assert ids == theirs(tokenizer, text)
    assert set(tokenizer.all_special_ids) <= set(ids)


def test_a_dense_token_is_always_one(tokenizer: PreTrainedTokenizerBase) -> None:
    """Others are text beside it, with the very ids that a tokenizer without them gives."""
    dense = tokenizer.convert_tokens_to_ids(DENSE)
    stands = standing(tokenizer, "text")
    assert stands == [DENSE]
    alone = "I had an example,<|dense|> and I want"
    assert encode_documents(tokenizer, [alone], stands)[0] == theirs(tokenizer, alone)
    other = next(token for token in tokenizer.all_special_tokens if token != DENSE)
    mixed = f"the {other} name<|dense|><|dense|> of it"
    ((ids, (place,)),) = encode_at(tokenizer, [mixed], [[mixed.index(DENSE)]], stands)
    assert ids[place : place + 2] == [dense, dense] and ids.count(dense) == 2
    assert ids[:place] == encode_documents(tokenizer, [f"the {other} name"])[0]
    assert not set(ids) & (set(tokenizer.all_special_ids) - {dense, tokenizer.unk_token_id})


def test_a_text_without_any_has_the_same_ids_under_either_rule(
    tokenizer: PreTrainedTokenizerBase, corpus: list[str]
) -> None:
    texts = corpus[:4]
    plainly = encode_documents(tokenizer, texts)
    for rule in ("text", "special"):
        assert encode_documents(tokenizer, texts, standing(tokenizer, rule)) == plainly
    assert plainly == [theirs(tokenizer, text) for text in texts]


def test_they_are_counted_and_told(trained: Callable[[str, str], Tokenizer]) -> None:
    dressed = build_fast_tokenizer(trained("t5", "unigram"), "seq2seq", 64, STYLES["t5"])
    found = count_literals(dressed, ["a </s> b </s>", "<extra_id_1> <extra_id_11>", "<|endoftext|> <sub>"])
    assert found == {"</s>": 2, "<extra_id_1>": 1, "<extra_id_11>": 1, "<|endoftext|>": 1}
    told, as_text = describe_literals(found, dressed, "text")
    assert "(2 </s>, 1 <extra_id_11>, 1 <extra_id_1>, 1 <|endoftext|>); they are read as text" in told
    assert told.endswith("(the tokenizer has no <|endoftext|>)") and sorted(as_text) == sorted(found)
    told, as_text = describe_literals(found, dressed, "special")
    assert "read as text, but for </s>, <extra_id_11>, <extra_id_1> (" in told and as_text == [
        "<|endoftext|>"
    ]
    assert describe_literals({"</s>": 1}, dressed, "special")[1] == []
    assert describe_literals({}, dressed, "text") == ("", [])
    assert describe_literals({DENSE: 3}, dressed, "text")[1] == [DENSE]


def test_ids_stay_where_special_tokens_lie_beyond_the_vocabulary() -> None:
    """As in Llama 3, whose special tokens are no pieces: those that are text for a while keep the others' ids."""
    rust = Tokenizer(models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    rust.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    rust.add_special_tokens(["<|begin|>", "<|end|>"])
    rust.add_tokens(["own"])
    rust.add_special_tokens([DENSE])
    assert encode_documents(rust, [f"a own{DENSE} b <|end|>"], [DENSE]) == [[0, 5, 6, 1, 2]]
    assert encode_documents(rust, [f"a own{DENSE} b <|end|>"], ["<|end|>", DENSE]) == [[0, 5, 6, 1, 4]]
