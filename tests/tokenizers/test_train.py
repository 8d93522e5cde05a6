import os
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tokenizers import Tokenizer

from hornbook.errors import HornbookError
from hornbook.tokenizers import (
    STYLES,
    TokenizerOptions,
    build_fast_tokenizer,
    encode_documents,
    sentinel_ids,
    train,
)

KINDS = ["bpe", "unigram", "wordpiece"]
PAIRS = [(style, kind) for style in STYLES for kind in KINDS if style != "gpt" or kind == "bpe"]
# The layouts as published, and ours, written out by hand: ids from the front, ids from the end.
PUBLISHED = {
    "shared": {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "<mask>": -1, "<extra_id_0>": -2},
    "roberta": {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": -1, "<extra_id_0>": -2},
    "bert": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "<extra_id_0>": -1},
    "albert": {"<pad>": 0, "<unk>": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "<extra_id_0>": -1},
    "gpt": {"<|endoftext|>": 0, "<|padding|>": 1, "<extra_id_0>": -1},
    "t5": {"<pad>": 0, "</s>": 1, "<unk>": 2, "<extra_id_0>": -1, "<extra_id_11>": -12},
}


def train_on(texts, head_sentinels=0, style="shared", **options):
    return train(texts, TokenizerOptions(**options), STYLES[style], head_sentinels)


@pytest.mark.parametrize(("style", "kind"), PAIRS)
def test_special_tokens_stand_at_their_ids_and_the_size_is_exact(trained, style, kind):
    tokenizer = trained(style, kind)
    assert tokenizer.get_vocab_size() == 1200
    assert sorted(tokenizer.get_vocab().values()) == list(range(1200))
    for token, place in PUBLISHED[style].items():
        assert tokenizer.token_to_id(token) == place % 1200
    specials = {i: t for i, t in tokenizer.get_added_tokens_decoder().items() if t.special}
    assert {t.content for t in specials.values()} == {
        *PUBLISHED[style],
        *(f"<extra_id_{i}>" for i in range(12)),
    }
    assert not any(token.normalized for token in specials.values())


@pytest.mark.parametrize("kind", KINDS)
def test_sentinels_descend_and_are_found_by_name(trained, kind):
    ids = sentinel_ids(trained("t5", kind))
    assert ids == list(range(1199, 1187, -1))
    assert sentinel_ids(train_on(["some text some text"], vocab_size=300)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_objectives_modes_are_tokens_before_the_sentinels(corpus, kind):
    options, modes = TokenizerOptions(kind=kind, vocab_size=600), ["[NLU]", "[S2S]"]
    tokenizer = train([*corpus[:5], "Some [NLU] text."], options, STYLES["t5"], 2, modes=modes)
    assert [tokenizer.id_to_token(i) for i in range(596, 600)] == [*modes, "<extra_id_1>", "<extra_id_0>"]
    assert {"[NLU]", "[S2S]"} <= {
        t.content for t in tokenizer.get_added_tokens_decoder().values() if t.special
    }
    dressed = build_fast_tokenizer(tokenizer, "seq2seq", 64, STYLES["t5"])
    assert dressed.convert_tokens_to_ids("[S2S]") == 597 and "[S2S]" in dressed.all_special_tokens
    # A text that says so gets no token of the kind.
    assert 596 not in encode_documents(dressed, ["Some [NLU] text."])[0]


@pytest.mark.parametrize("kind", KINDS)
def test_options_may_say_how_many_sentinels(corpus, kind):
    tokenizer = train_on(corpus[:5], 100, kind=kind, vocab_size=600, sentinels=3)
    assert [tokenizer.id_to_token(i) for i in range(596, 600)] == [
        "<extra_id_2>", "<extra_id_1>", "<extra_id_0>", "<mask>"
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
@settings(max_examples=150, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁")))
def test_any_text_comes_back(trained, kind, text):
    tokenizer = trained("shared", kind)
    assert tokenizer.decode(encode_documents(tokenizer, [text])[0]) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_every_byte_comes_back(trained, kind):
    tokenizer = trained("shared", kind)
    # Every byte that occurs in UTF-8: 00-7F, and all lead and continuation bytes.
    points = [*range(0x800), *range(0x800, 0xD800, 0x40), *range(0xE000, 0x110000, 0x400)]
    text = "".join(map(chr, points)).replace("▁", "")
    assert len(set(text.encode())) == 256 - len({0xC0, 0xC1, *range(0xF5, 0x100)})
    text = unicodedata.normalize("NFC", text)
    assert tokenizer.decode(encode_documents(tokenizer, [text])[0]) == text
    assert 3 not in encode_documents(tokenizer, [text])[0]


def test_emoji_are_spelt_in_bytes_and_survive_skipping_special_tokens(trained):
    tokenizer = trained("t5", "unigram")
    ids = encode_documents(tokenizer, ["so 😀 it is"])[0]
    assert [f"<0x{b:02X}>" for b in "😀".encode()] == [
        t for i in ids if (t := tokenizer.id_to_token(i))[:3] == "<0x"
    ]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "so 😀 it is"
    assert tokenizer.decode(encode_documents(tokenizer, ["<0x41> </s>"])[0]) == "<0x41> </s>"


def test_lower_case_and_normal_forms():
    texts = ["Ærlig Å være ﬁn"] * 5
    nfkc = train_on(texts, vocab_size=420, kind="unigram", normalize="nfkc", lowercase=True)
    assert nfkc.decode(nfkc.encode("Å VÆRE ﬁn").ids) == "å være fin"
    kept = train_on(texts, vocab_size=300, normalize="none")
    assert kept.decode(kept.encode("A\u030a").ids) == "A\u030a"
    wordpiece = train_on(texts, vocab_size=60, kind="wordpiece", lowercase=True)
    assert wordpiece.encode("Å").tokens == ["å"]
    cased = train_on(texts, vocab_size=60, kind="wordpiece")
    assert cased.encode("Å Q").tokens == ["Å", "<unk>"]


def test_wordpiece_prefers_long_pieces_and_has_no_word_with_a_rare_character():
    tokenizer = train_on(
        ["walk walked walking talk talked talking"] * 9 + ["Ωmega"], vocab_size=60, kind="wordpiece"
    )
    assert tokenizer.encode("walking talked").tokens == ["walking", "talked"]
    assert tokenizer.encode("Ωmega").tokens == ["<unk>"]
    assert not any("Ω" in token for token in tokenizer.get_vocab())


TEXT_TRAIN = """
import hashlib, sys
from pydoc_data.topics import topics
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, train
for kind in ("bpe", "unigram", "wordpiece"):
    options = TokenizerOptions(kind=kind, vocab_size=2000)
    tokenizer = train(list(topics.values()), options, STYLES["shared"], 5)
    dressed = build_fast_tokenizer(tokenizer, "masked", 64, STYLES["shared"])
    print(hashlib.sha256((tokenizer.to_str() + dressed.backend_tokenizer.to_str()).encode()).hexdigest())
"""


@pytest.mark.long
def test_same_bytes_whatever_the_hash_seed_and_the_threads():
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", TEXT_TRAIN],
            env={**os.environ, "PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": threads},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed, threads in (("1", "1"), ("2", "2"))
    ]
    one, two = (run.communicate()[0].split() for run in runs)
    assert len(one) == 3
    assert one == two


@pytest.mark.parametrize("kind", KINDS)
def test_documents_are_read_once_and_counted_in_bytes(corpus, kind):
    heard = []
    options = TokenizerOptions(kind=kind, vocab_size=700)
    train((text for text in corpus), options, STYLES["shared"], 0, heard.append)
    assert sum(heard) == sum(len(text.encode()) for text in corpus)


@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_wrong_in_the_corpus_comes_out_as_it_was(kind):
    def broken():
        yield "fine"
        raise HornbookError("byte 7 is no UTF-8")

    with pytest.raises(HornbookError, match="byte 7"):
        train(broken(), TokenizerOptions(kind=kind), STYLES["shared"], 0)


def test_a_poor_corpus_gives_a_smaller_vocabulary():
    assert train_on(["ab ab"] * 3, vocab_size=5000).get_vocab_size() == 4 + 256 + 2 + 1
    unigram = train_on(["ab ab"] * 3, vocab_size=5000, kind="unigram")
    assert 4 + 256 + 95 + 1 <= unigram.get_vocab_size() < 365
    # Not even where the corpus lacks their characters do written-out names become tokens.
    text = "<0x41> </s> <unk>"
    assert unigram.decode(encode_documents(unigram, [text])[0], skip_special_tokens=False) == text
    unigram.encode_special_tokens = True
    assert unigram.decode(unigram.encode(text).ids, skip_special_tokens=True) == text
    assert train_on(["ab ab"] * 3, vocab_size=5000, kind="wordpiece").get_vocab_size() == 4 + 2 + 1 + 1 + 1


@pytest.mark.parametrize(
    ("kind", "size", "needed"), [("bpe", 260, 261), ("unigram", 100, 355), ("wordpiece", 8, 9)]
)
def test_too_small_a_vocabulary_names_both_numbers(kind, size, needed):
    texts = ["bbb b bab"] * 3 if kind == "wordpiece" else ["some text"]
    with pytest.raises(HornbookError, match=rf"vocab_size is {size}\D.*at least {needed}\D"):
        train_on(texts, vocab_size=size, kind=kind)
    # The very number that the error asks for is enough.
    if kind != "unigram":
        assert train_on(texts, vocab_size=needed, kind=kind).get_vocab_size() == needed


def test_the_size_that_unigram_asks_for_is_enough(corpus):
    with pytest.raises(HornbookError, match="set it to") as error:
        train_on(corpus, vocab_size=360, kind="unigram")
    needed = int(str(error.value).split("set it to ")[1].split()[0])
    assert train_on(corpus, vocab_size=needed, kind="unigram").get_vocab_size() == needed


@pytest.mark.parametrize("kind", ["unigram", "wordpiece"])
def test_no_words_and_no_unknown_token_are_errors(kind):
    with pytest.raises(HornbookError, match="0 of the corpus's 0 distinct words"):
        train_on(["", " "] if kind == "wordpiece" else [""], kind=kind)
    with pytest.raises(HornbookError, match="needs an unknown token"):
        train_on(["text"], kind=kind, style="gpt")


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_in_the_corpus_are_never_learnt(kind):
    texts = ["the <extra_id_0> and <pad> and </s> and <mask> [MASK] 7" * 20] * 20
    tokenizer = train_on(texts, 2, kind=kind, vocab_size=400)
    last = tokenizer.get_vocab_size() - 1
    assert [tokenizer.token_to_id(t) for t in ("<mask>", "<extra_id_0>", "<extra_id_1>")] == [
        last,
        last - 1,
        last - 2,
    ]
    control = {0, 1, 2, last, last - 1, last - 2}
    assert control.isdisjoint(encode_documents(tokenizer, texts)[0])


def test_training_leaves_no_byte_piece_special(trained):
    state = trained("t5", "unigram")
    added = {token.content for token in state.get_added_tokens_decoder().values()}
    assert not any(token.startswith("<0x") for token in added)
    assert isinstance(state, Tokenizer)


def test_an_existing_tokenizer_takes_no_other_option():
    assert TokenizerOptions(path="somewhere").path == "somewhere"
    with pytest.raises(ValidationError, match="kind, vocab_size can't be chosen: remove them"):
        TokenizerOptions(path="somewhere", vocab_size=100, kind="unigram")
    with pytest.raises(ValidationError, match="extra"):
        TokenizerOptions(size=100)
