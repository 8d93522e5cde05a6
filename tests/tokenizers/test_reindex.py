"""Other ids, the same text: proved on published vocabularies and on BPEs that hypothesis makes."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, RobertaTokenizer

from hornbook.errors import HornbookError
from hornbook.tokenizers import STYLES, build_fast_tokenizer, places_of, reindex
from hornbook.tokenizers.folder import template_of, write
from hornbook.tokenizers.reindex import Reindexed
from hornbook.tokenizers.roles import heirs, roles_after, roles_given

PLACES = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "<mask>": -1}
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())


def state(tokenizer: Tokenizer) -> dict[str, Any]:
    return json.loads(tokenizer.to_str())["model"]


def texts(corpus: list[str]) -> Iterator[str]:
    for topic in corpus[::4]:
        yield from topic.split("\n\n")
    yield "".join(map(chr, range(0x20, 0x250)))
    yield 'emoji 😀👩‍👩‍👧, Ω☃, 漢字かな, привет, åøæ\u0300\r\n\t!"#$'


def unreachable(tokenizer: Tokenizer) -> set[str]:
    """What the model splits when it stands alone, special tokens left out."""
    special = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    return {
        piece
        for piece in tokenizer.get_vocab(with_added_tokens=False)
        if piece not in special and [part.value for part in tokenizer.model.tokenize(piece)] != [piece]
    }


def special_of(tokenizer: Tokenizer) -> set[str]:
    return {token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special}


def check_ids(old: Tokenizer, done: Reindexed, places: dict[str, int]) -> None:
    """A permutation of the same number of ids, in which everything is where it was asked to be."""
    new, before = done.tokenizer.get_vocab(), old.get_vocab()
    size = max(before.values()) + 1
    assert sorted(new.values()) == list(range(size))
    assert done.mapping.keys() == set(before.values())
    kept = [i for i in done.mapping.values() if i is not None]
    assert len(set(kept)) == len(kept)
    assert all(new[token] == place % size for token, place in places.items())
    for token, i in before.items():
        if token in done.dropped:
            assert done.mapping[i] is None and (token not in new or token in places)
        else:
            assert done.mapping[i] == new[done.renamed.get(token, token)]
    assert not special_of(old) & done.dropped.keys()  # none goes unasked
    if isinstance(old.model, models.BPE):  # what no text reaches goes first
        pieces = {token for token, parts in done.dropped.items() if parts}
        free = unreachable(old) - set(ALPHABET) - places.keys() - done.renamed.keys()
        assert pieces <= free or free <= pieces


def check_merges(old: Tokenizer, new: Tokenizer) -> None:
    """No merge dangles, none was made up or put elsewhere, and none went without need."""
    before, after = ([tuple(pair) for pair in state(one)["merges"]] for one in (old, new))
    there = new.get_vocab().keys()
    assert after == [(left, right) for left, right in before if there >= {left, right, left + right}]
    assert there >= set(ALPHABET) & old.get_vocab().keys()  # GPT-NeoX lacks the bytes that no text has
    assert unreachable(new) <= unreachable(old)


def check_text(old: Tokenizer, done: Reindexed, samples: list[str]) -> None:
    """New ids are the old ones mapped, a dropped token being replaced by the two parts that made it."""
    merges = {left + right: (left, right) for left, right in state(old)["merges"]}
    names = {i: token for token, i in old.get_vocab().items()}
    new = done.tokenizer

    def expand(token: str) -> Iterator[str]:
        if token in done.dropped:
            for part in merges[token]:
                yield from expand(part)
        else:
            yield token

    for tokenizer in (old, new):
        tokenizer.encode_special_tokens = True
    for text, one, other in zip(
        samples,
        old.encode_batch(samples, add_special_tokens=False),
        new.encode_batch(samples, add_special_tokens=False),
        strict=True,
    ):
        assert other.tokens == [part for i in one.ids for part in expand(names[i])], text
        assert new.decode(other.ids) == old.decode(one.ids)
        if old.normalizer is None:
            assert new.decode(other.ids) == text


def published(data: Path, name: str) -> Tokenizer:
    folder = data / "tokenizers" / name
    if (folder / "tokenizer.json").exists():
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def test_the_published_re_index(data: Path) -> None:
    old, expected = published(data, "10k-gpt-neo"), published(data, "10k-tok")
    done = reindex(old, PLACES, drop=["<|endoftext|>"])
    assert state(done.tokenizer)["vocab"] == state(expected)["vocab"]
    assert state(done.tokenizer)["merges"] == state(expected)["merges"]
    assert done.moved == {"!": (0, 9995), '"': (1, 9996), "#": (2, 9997), "$": (3, 9998)}
    assert set(done.dropped) == {"ĠSom", "ĠHop", "oret", "ths", "<|endoftext|>"}
    # By name, for the published one finds '<pad>' after normalizing, ours as it is written.
    new = {token.content for token in done.tokenizer.get_added_tokens_decoder().values()}
    assert new == {token.content for token in expected.get_added_tokens_decoder().values()} == set(PLACES)


SCATTERED = {"[PAD]": 7, "[CLS]": 500, "[SEP]": -2, "[MASK]": -300}


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("10k-gpt-neo", PLACES),
        ("10k-gpt-neo", SCATTERED),
        ("10k-gpt-neo", {}),
        ("10k-tok", SCATTERED),
        ("10k-tok", {"<s>": 3, "<pad>": -1}),
        ("gpt2", PLACES),
        ("roberta-base", SCATTERED),
        ("tinystories-33m", SCATTERED),
        ("gpt-neox-20b", PLACES),
    ],
)
def test_published_vocabularies(data: Path, corpus: list[str], name: str, places: dict[str, int]) -> None:
    old = published(data, name)
    done = reindex(old, places)
    check_ids(old, done, places)
    check_merges(old, done.tokenizer)
    if name != "roberta-base":  # its vocab.json alone doesn't say that <s> is special
        check_text(old, done, list(texts(corpus)))


@st.composite
def trained_bpes(draw: st.DrawFn) -> Tokenizer:
    """A BPE trained on a few words of few letters, special tokens first or last or none."""
    words = draw(st.lists(st.text("abc é", min_size=1, max_size=12), min_size=5, max_size=30))
    special = draw(st.sampled_from([[], ["<|endoftext|>"], ["<pad>", "</s>"]]))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=draw(st.booleans()))
    tokenizer.decoder = decoders.ByteLevel()
    first = special if draw(st.booleans()) else []
    trainer = trainers.BpeTrainer(
        vocab_size=draw(st.integers(270, 300)),
        special_tokens=first,
        initial_alphabet=ALPHABET,
        show_progress=False,
        min_frequency=1,
    )
    tokenizer.train_from_iterator(words, trainer)
    tokenizer.add_special_tokens(special)
    return tokenizer


@st.composite
def written_bpes(draw: st.DrawFn) -> Tokenizer:
    """A BPE whose merges nobody trained: in any order, several to one product, and pieces that none makes."""
    pieces = ["a", "b", "c"]
    merges: list[tuple[str, str]] = []
    for _ in range(draw(st.integers(5, 20))):
        pair = draw(st.sampled_from(pieces)), draw(st.sampled_from(pieces))
        if pair not in merges and len("".join(pair)) < 12:
            merges.append(pair)
            pieces = list(dict.fromkeys([*pieces, "".join(pair)]))
    merges = draw(st.permutations(merges))
    orphans = draw(st.lists(st.text("abc", min_size=2, max_size=6), max_size=3))
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys([*ALPHABET, *pieces, *orphans]))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


some_places = st.dictionaries(
    st.sampled_from(["<pad>", "</s>", "<mask>", "<new>"]), st.integers(-100, 150), max_size=4
)


def reindexed(old: Tokenizer, places: dict[str, int]) -> Reindexed | None:
    """Re-index where that can be done: no two tokens at one place, and no more of them than pieces can go."""
    size = old.get_vocab_size()
    if len({place % size for place in places.values()}) == len(places):
        try:
            return reindex(old, places)
        except HornbookError:
            added = [one.content for one in old.get_added_tokens_decoder().values()]
            assert size < len({*ALPHABET, *added, *places})  # all of these stay
    return None


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(trained_bpes(), some_places, st.lists(st.text("abcdé ", max_size=30), min_size=1))
def test_trained_bpes(old: Tokenizer, places: dict[str, int], samples: list[str]) -> None:
    if done := reindexed(old, places):
        check_ids(old, done, places)
        check_merges(old, done.tokenizer)
        if not old.pre_tokenizer.add_prefix_space:
            check_text(old, done, samples)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(written_bpes(), some_places, st.lists(st.text("abcd", max_size=30), min_size=1))
def test_written_bpes(old: Tokenizer, places: dict[str, int], samples: list[str]) -> None:
    if done := reindexed(old, places):
        check_ids(old, done, places)
        check_merges(old, done.tokenizer)
        for text in samples:
            assert done.tokenizer.decode(done.tokenizer.encode(text).ids) == text


@pytest.mark.parametrize("end", [True, False])
def test_a_bpe_trained_normally_drops_its_latest_merges(corpus: list[str], end: bool) -> None:
    old = Tokenizer(models.BPE())
    old.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=1000 - end, initial_alphabet=ALPHABET, show_progress=False)
    old.train_from_iterator(corpus, trainer)
    old.add_special_tokens(["<|endoftext|>"] * end)
    done = reindex(old, PLACES, drop=["<|endoftext|>"] * end)
    before, after = state(old)["merges"], state(done.tokenizer)["merges"]
    gone = 4 if end else 5
    assert after == before[:-gone]
    assert done.dropped == {a + b: (a, b) for a, b in before[-gone:]} | ({"<|endoftext|>": ()} if end else {})


def test_a_renamed_token_keeps_its_row(data: Path) -> None:
    done = reindex(published(data, "10k-gpt-neo"), PLACES, {"<|endoftext|>": "</s>"})
    assert done.mapping[9999] == 2 and "</s>" not in done.added and "<|endoftext|>" not in done.dropped
    assert len(done.dropped) == 4
    stays = reindex(published(data, "10k-gpt-neo"), {"<pad>": 0}, {"<|endoftext|>": "</s>"})
    assert stays.mapping[9999] == 9999 and stays.tokenizer.token_to_id("</s>") == 9999


@pytest.mark.parametrize(("style", "kind"), [("bert", "wordpiece"), ("t5", "unigram"), ("albert", "unigram")])
def test_wordpiece_and_unigram(
    trained: Callable[[str, str], Tokenizer], corpus: list[str], style: str, kind: str
) -> None:
    """Words without dropped pieces keep their ids; the others still say the same, without new unknown words."""
    old = trained(style, kind)
    rename = {"[UNK]": "<unk>"} if style == "bert" else {}
    done = reindex(old, PLACES, rename)
    new = done.tokenizer
    check_ids(old, done, PLACES)
    pieces = state(old)["vocab"]
    letters = {
        piece for piece in dict(pieces) if len(piece.removeprefix("##")) == 1 or piece.startswith("<0x")
    }
    assert letters <= new.get_vocab().keys()
    assert unreachable(new) <= unreachable(old) | set(PLACES) or kind == "wordpiece"

    # Take some of the learnt pieces away as well, to see words change.
    many = {f"<control_{n}>": -2 - n for n in range(100)}
    lost = reindex(old, PLACES | many, rename)
    check_ids(old, lost, PLACES | many)
    changed = 0
    for after in (done, lost):
        for text in texts(corpus):
            one, other = (
                tokenizer.encode(text, add_special_tokens=False) for tokenizer in (old, after.tokenizer)
            )
            if None not in (ids := [after.mapping[i] for i in one.ids]):
                assert other.ids == ids
            else:
                changed += 1
                assert after.tokenizer.decode(other.ids) == old.decode(one.ids)
            assert other.tokens.count("<unk>") == one.tokens.count("[UNK]" if style == "bert" else "<unk>")
    assert changed
    for piece, parts in lost.dropped.items():
        if parts:
            assert "".join(part.removeprefix("##") for part in parts) == piece.removeprefix("##")
            assert set(parts) <= lost.tokenizer.get_vocab().keys()


def test_published_wordpiece_and_unigram(data: Path, corpus: list[str]) -> None:
    samples = list(texts(corpus))
    for name, rename in (("bert-base-uncased", {"[UNK]": "<unk>"}), ("t5-small", {})):
        old = published(data, name)
        done = reindex(old, PLACES, rename)
        check_ids(old, done, PLACES)
        for one, other in zip(
            old.encode_batch(samples, add_special_tokens=False),
            done.tokenizer.encode_batch(samples),
            strict=True,
        ):
            ids = [done.mapping[i] for i in one.ids]
            assert None in ids or other.ids == ids


@pytest.mark.parametrize("lowest", [-10.0, -30.0])
def test_unknown_letters_cost_as_much_as_before(lowest: float) -> None:
    """Unigram counts that from the lowest score, which a dropped token may have had: `a` is unknown here."""
    scored = [("ab", -9.0), ("bcde", -2.0), *((letter, -9.5) for letter in "bcde")]
    old = Tokenizer(models.Unigram([("<unk>", 0.0), ("</s>", lowest), *scored], 0))
    old.add_special_tokens(["<unk>", "</s>"])
    done = reindex(old, {"<unk>": 0, "<eos>": 2}, drop=["</s>"])
    assert len(old.encode("abcde").ids) == (2 if lowest == -10 else 4)  # a+bcde, or ab+c+d+e
    for text in ("abcde", "ab", "zab", "abz"):
        assert done.tokenizer.encode(text).ids == [done.mapping[i] for i in old.encode(text).ids]


def test_freed_ids_are_filled(trained: Callable[[str, str], Tokenizer]) -> None:
    """T5's sentinels can be dropped, when they are named; the size stays, for models have rows for it."""
    old = trained("t5", "unigram")
    places = {"<pad>": 0, "</s>": 1, "<unk>": 2}
    assert not reindex(old, places).dropped
    done = reindex(old, places, drop=special_of(old) - places.keys())
    assert len(done.dropped) == 12 and list(done.added) == [f"<unused_{n}>" for n in range(12)]
    kept = reindex(old, places_of(STYLES["t5"], sentinels=12))
    assert not kept.dropped and not kept.added and not kept.moved


@pytest.mark.long
def test_added_words_live_on(data: Path, corpus: list[str]) -> None:
    """GPT-NeoX has runs of spaces that are no special tokens: they are found as before."""
    old = published(data, "gpt-neox-20b")
    done = reindex(old, PLACES)
    text = "def f(x):\n        if x:\n            return"
    before = old.encode(text)
    assert max(before.ids) > 50254
    assert done.tokenizer.encode(text).ids == [done.mapping[i] for i in before.ids]


@pytest.mark.long
@pytest.mark.parametrize(
    ("places", "rename", "told"),
    [
        ({"<pad>": 10000}, {}, "<pad> is given place 10000, but the vocabulary has ids 0 to 9999"),
        ({"<pad>": -10001}, {}, "-10001"),
        ({"<pad>": 9999, "<mask>": -1}, {}, "<pad> and <mask> are both given place 9999"),
        ({"Ġthe": 0}, {}, "Ġthe is a piece that words are split into"),
        ({"": 0}, {}, "without a name"),
        ({}, {"<|endoftex|>": "</s>"}, "did you mean '<|endoftext|>'"),
        ({}, {"Ġthe": "</s>"}, "Ġthe is a piece"),
        ({}, {"<|endoftext|>": "Ġthe"}, "'Ġthe', which is taken"),
        ({"<|endoftext|>": 0}, {"<|endoftext|>": "</s>"}, "give the place 0 to </s>"),
        ({f"<{n}>": n for n in range(9999)}, {}, "letters and bytes stay"),
    ],
)
def test_what_is_refused(data: Path, places: dict[str, int], rename: dict[str, str], told: str) -> None:
    with pytest.raises(HornbookError) as refusal:
        reindex(published(data, "10k-gpt-neo"), places, rename)
    assert told in str(refusal.value) and "\n" not in str(refusal.value)


def test_the_unknown_token_is_not_lost(trained: Callable[[str, str], Tokenizer]) -> None:
    old = trained("bert", "wordpiece")
    assert "[UNK]" in reindex(old, PLACES).tokenizer.get_vocab()
    with pytest.raises(HornbookError, match=r"\[UNK\] can't be dropped.* rename it \(\[UNK\]=<unk>\)"):
        reindex(old, PLACES, drop=["[UNK]"])
    with pytest.raises(HornbookError, match="WordLevel tokenizer can't"):
        reindex(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")), {})


@pytest.mark.parametrize(
    ("drop", "told"),
    [
        ("Ġthe", "Ġthe can't be dropped, since it isn't a special token"),
        ("<|endoftex|>", "did you mean '<|endoftext|>'"),
        ("<pad>", "<pad> can't be dropped, since it also has a place or a new name"),
    ],
)
def test_what_cant_be_dropped(data: Path, drop: str, told: str) -> None:
    old = published(data, "10k-gpt-neo")
    old.add_special_tokens(["<pad>"])
    with pytest.raises(HornbookError) as refusal:
        reindex(old, {"<pad>": 0}, drop=[drop])
    assert told in str(refusal.value) and "\n" not in str(refusal.value)


def test_the_old_tokenizer_stays(trained: Callable[[str, str], Tokenizer]) -> None:
    old = trained("shared", "bpe")
    before = old.to_str()
    reindex(old, {"<pad>": 3, "<s>": 5, "<mask>": 0})
    assert old.to_str() == before


def test_chance_decides_nothing(trained: Callable[[str, str], Tokenizer]) -> None:
    """A BPE with dropout splits by chance; which of its pieces are reachable is no such thing."""
    sure, unsure = trained("gpt", "bpe"), trained("gpt", "bpe")
    unsure.model.dropout = 0.9
    done = reindex(unsure, PLACES)
    assert done.mapping == reindex(sure, PLACES).mapping
    assert done.tokenizer.model.dropout == unsure.model.dropout == pytest.approx(0.9)


@pytest.mark.parametrize("head", ["masked", "causal", "seq2seq"])
def test_every_file_of_the_folder_agrees(data: Path, corpus: list[str], tmp_path: Path, head: Any) -> None:
    source = data / "tokenizers" / "10k-gpt-neo"
    done = reindex(published(data, "10k-gpt-neo"), PLACES, drop=["<|endoftext|>"])
    write(build_fast_tokenizer(done.tokenizer, head, 512, STYLES["shared"]), tmp_path, like=source)
    opened = AutoTokenizer.from_pretrained(tmp_path)
    assert template_of(opened) == head
    bare = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    (tmp_path / "legacy").mkdir()
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).rename(tmp_path / "legacy" / name)
    # The published folder fails here: its merges.txt is the old one.
    legacy = RobertaTokenizer.from_pretrained(tmp_path / "legacy")
    for text in texts(corpus):
        ids = done.tokenizer.encode(text).ids
        assert opened(text, add_special_tokens=False)["input_ids"] == ids
        assert bare.encode(text, add_special_tokens=False).ids == ids
        assert legacy(text, add_special_tokens=False)["input_ids"] == ids
    assert opened.pad_token_id == 0 and opened.mask_token_id == 9999 and len(opened) == 10000


def test_roles_follow() -> None:
    old = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(ALPHABET)}, merges=[]))
    old.add_special_tokens(["<|endoftext|>", AddedToken("<extra>")])
    declared = dict.fromkeys(["bos_token", "eos_token", "pad_token"], "<|endoftext|>")
    done = reindex(old, {"<pad>": 0}, {"<|endoftext|>": "<end>", "<extra>": "<pad>"})
    assert roles_after(declared, roles_given({"<pad>": 0}), done) == {
        "bos_token": "<end>",
        "eos_token": "<end>",
        "pad_token": "<pad>",
    }


GPT_NEO = dict.fromkeys(["bos_token", "eos_token", "unk_token", "pad_token"], "<|endoftext|>")


@pytest.mark.parametrize(
    ("declared", "places", "expected"),
    [
        (GPT_NEO, PLACES, {"<|endoftext|>": "</s>"}),
        (GPT_NEO, {"<pad>": 0}, {}),  # it is still bos, eos and unk
        (GPT_NEO, {"<pad>": 0, "<s>": 1, "</s>": 2}, {}),  # and here unk
        (STYLES["gpt"].roles, PLACES, {"<|endoftext|>": "</s>", "<|padding|>": "<pad>"}),
        (
            STYLES["bert"].roles,
            PLACES,
            {"[CLS]": "<s>", "[SEP]": "</s>", "[UNK]": "<unk>", "[PAD]": "<pad>", "[MASK]": "<mask>"},
        ),
        (STYLES["shared"].roles, places_of(STYLES["roberta"]), {}),  # their names are the same
        ({}, PLACES, {}),
    ],
)
def test_a_role_keeps_its_row(declared: Any, places: dict[str, int], expected: dict[str, str]) -> None:
    """A token that has no role left lives on as the one that took it over; all others stay themselves."""
    entries = {token: i for i, token in enumerate(declared.values())}
    assert heirs(declared, roles_given(places), entries) == expected


SCRIPT = """
import hashlib, sys
from tokenizers import Tokenizer
from hornbook.tokenizers.reindex import reindex
places = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "<mask>": -1}
whole = hashlib.sha256()
for path in sys.argv[1:]:
    done = reindex(Tokenizer.from_file(path), places, {"[UNK]": "<unk>"} if "bert" in path else {})
    whole.update(done.tokenizer.to_str().encode() + repr(done.dropped).encode() + repr(done.moved).encode())
print(whole.hexdigest())
"""


@pytest.mark.long
def test_the_same_under_any_hash_seed(trained: Callable[[str, str], Tokenizer], tmp_path: Path) -> None:
    paths = []
    for style, kind in (("bert", "wordpiece"), ("t5", "unigram"), ("gpt", "bpe")):
        paths.append(str(tmp_path / f"{style}.json"))
        trained(style, kind).save(paths[-1])
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, *paths],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "20")
    }
    assert len(digests) == 1 and digests != {hashlib.sha256().hexdigest()}
