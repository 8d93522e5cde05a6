"""Imported tokenizers give the ids of the library that they come from."""

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from sentencepiece.sentencepiece_model_pb2 import ModelProto
from tokenizers import Tokenizer
from transformers import AutoTokenizer, GPT2Tokenizer, RobertaTokenizer

from hornbook.errors import HornbookError
from hornbook.tokenizers import import_tokenizer, write

ODD = [
    "",
    " ",
    "   two  spaces   ",
    "tab\tand\n\nlines\r\n",
    "naïve café ÅØÆ åøæ ﬁn Ⅳ ½ ①",
    "e\u0301 A\u030a \u00a0 \u200b \u3000x",
    "emoji 😀, Ω☃☃ ☃, 漢字かな, привет",
    "def f(x): return x[0] != '##y' or <z>",
    "a literal ▁ and <0x41> and ▁▁",
    "<sep>", "x<sep>y", " <sep> <sep><sep> ", "hello <sep>  world<sep>", "<sep> a",
]  # fmt: skip


def learnt(corpus: list[str], path: Path, **options: Any) -> sentencepiece.SentencePieceProcessor:
    written = io.BytesIO()
    options = {
        "vocab_size": 600,
        "user_defined_symbols": ["<sep>", "<x>"],
        "control_symbols": ["<c>"],
    } | options
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=(line for text in corpus for line in text.splitlines()),
        model_writer=written,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
        **options,
    )
    path.write_bytes(written.getvalue())
    return sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())


def score(model: sentencepiece.SentencePieceProcessor, ids: list[int]) -> float:
    return sum(model.get_score(i) for i in ids)


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byte_fallback": True, "character_coverage": 0.99},
        {"normalization_rule_name": "identity", "remove_extra_whitespaces": False},
        {"normalization_rule_name": "nfkc_cf", "add_dummy_prefix": False},
        {"split_by_whitespace": False, "allow_whitespace_only_pieces": True},
        {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3, "unk_piece": "<u>"},
    ],
    ids=["plain", "bytes", "identity", "folded", "phrases", "roles"],
)
def test_sentencepiece_gives_the_same_ids(
    corpus: list[str], tmp_path: Path, kind: str, options: dict[str, Any]
) -> None:
    theirs = learnt(corpus, tmp_path / "x.model", model_type=kind, **options)
    write(import_tokenizer(tmp_path / "x.model"), tmp_path / "new")
    ours = AutoTokenizer.from_pretrained(tmp_path / "new")
    assert len(ours) == theirs.get_piece_size()
    assert ours.convert_ids_to_tokens(list(range(len(ours)))) == [
        theirs.id_to_piece(i) for i in range(len(ours))
    ]
    texts = [*ODD, *(line for text in corpus for line in text.splitlines()), *corpus[:3]]
    # Two libraries round differently, so of splits that are equally likely each may take another.
    other = [t for t in texts if ours.encode(t) != theirs.encode(t)]
    if kind == "unigram":
        tied = [
            t for t in other if abs(score(theirs, ours.encode(t)) - score(theirs, theirs.encode(t))) < 1e-3
        ]
        assert len(tied) < 0.01 * len(texts)
        other = [t for t in other if t not in tied]
    elif options.get("add_dummy_prefix", True):
        other.remove("<sep>")  # a text that is a symbol and nothing else lacks the space before it
    assert other == []
    for role in ("pad", "bos", "eos", "unk"):
        named = getattr(ours, f"{role}_token_id")
        assert (-1 if named is None else named) == getattr(theirs, f"{role}_id")()
    assert "<c>" in ours.all_special_tokens and "<sep>" not in ours.all_special_tokens
    words = "Words, and   more <sep> words"
    assert ours.decode(ours.encode(words)) == theirs.decode(theirs.encode(words))


def test_bytes_decode(corpus: list[str], tmp_path: Path) -> None:
    learnt(corpus, tmp_path / "x.model", byte_fallback=True, normalization_rule_name="identity")
    ours = import_tokenizer(tmp_path)
    assert ours.decode(ours.encode("say ☃ 😀 <0x41>")) == "say ☃ 😀 <0x41>"


def test_t5s_own_model(data: Path, tmp_path: Path) -> None:
    spiece = data / "tokenizers" / "t5-small" / "spiece.model"
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(spiece))
    ours = import_tokenizer(spiece)
    assert len(ours) == theirs.get_piece_size() == 32000
    assert (ours.pad_token_id, ours.eos_token_id, ours.unk_token_id, ours.bos_token) == (0, 1, 2, None)
    texts = [
        text.replace("<unk>", "unknown") for text in real(data)
    ]  # a name that transformers reads as the token
    assert [ours.encode(text) for text in texts] == [theirs.encode(text) for text in texts]


def real(data: Path) -> list[str]:
    """Some 700 lines of English and Norwegian, and the odd ones."""
    found = [*ODD]
    for name in ("wikitext2/wiki.valid.raw.txt", "norwegian/norec_dev.txt", "stories/fairytales_val.txt"):
        lines = (data / name).read_text("utf-8").split("\n")
        found += lines[:: max(1, len(lines) // 250)]
    return found


@pytest.mark.parametrize(("name", "original"), [("gpt2", GPT2Tokenizer), ("roberta-base", RobertaTokenizer)])
def test_vocabulary_and_merges(data: Path, name: str, original: type) -> None:
    folder = data / "tokenizers" / name
    theirs = original(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    ours = import_tokenizer(folder / "merges.txt")
    texts = [*real(data), "a</s> b </s> c <|endoftext|> d"]
    assert [ours.encode(t) for t in texts] == [theirs.encode(t) for t in texts]
    assert ours.get_vocab() == theirs.get_vocab()
    assert import_tokenizer(folder).get_vocab() == ours.get_vocab()
    if name == "roberta-base":  # published so; transformers 5's bare class leaves the space before it
        ids = ours.encode("a <mask>b", add_special_tokens=False)
        assert ours.convert_ids_to_tokens(ids) == ["a", "<mask>", "b"]
    for role in ("bos_token", "eos_token", "mask_token", "cls_token", "pad_token"):
        assert getattr(ours, role) == getattr(theirs, role)


def test_berts_vocabulary(data: Path, tmp_path: Path) -> None:
    folder = data / "tokenizers" / "bert-base-uncased"
    theirs = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ours = import_tokenizer(folder / "vocab.txt")
    texts = [*real(data), "a [MASK] b [SEP] c"]
    assert [ours.encode(t) for t in texts] == [theirs.encode(t).ids for t in texts]
    assert ours("a", "b c")["input_ids"] == theirs.encode("a", "b c").ids
    assert ours.mask_token_id == 103 and ours.pad_token_id == 0


def test_capital_letters_stay_where_the_vocabulary_has_them(tmp_path: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "fox"]
    (tmp_path / "vocab.txt").write_text("\n".join([*words, "Fox"]))
    assert import_tokenizer(tmp_path).tokenize("the Fox fox") == ["the", "Fox", "fox"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    assert import_tokenizer(tmp_path).tokenize("THE Fóx") == ["the", "fox"]


def test_a_whole_tokenizer(trained: Any, tmp_path: Path, corpus: list[str]) -> None:
    rust = trained("roberta", "bpe")
    rust.save(str(tmp_path / "mine.json"))
    ours = import_tokenizer(tmp_path / "mine.json")
    assert ours.mask_token == "<mask>" and ours.encode(corpus[0]) == rust.encode(corpus[0]).ids
    shutil.copy(tmp_path / "mine.json", tmp_path / "tokenizer.json")
    assert import_tokenizer(tmp_path).get_vocab() == ours.get_vocab()


@pytest.mark.parametrize("keep", [0, 100, 3000, -1000, -1])
def test_a_damaged_model_is_told(corpus: list[str], tmp_path: Path, keep: int) -> None:
    learnt(corpus, tmp_path / "x.model")
    whole = (tmp_path / "x.model").read_bytes()
    (tmp_path / "x.model").write_bytes(whole[:keep])
    with pytest.raises(HornbookError, match="damaged or not a SentencePiece model") as told:
        import_tokenizer(tmp_path)
    assert "\n" not in str(told.value)


def test_a_model_cut_between_two_fields_is_told(corpus: list[str], tmp_path: Path) -> None:
    learnt(corpus, tmp_path / "x.model")
    model = ModelProto.FromString((tmp_path / "x.model").read_bytes())
    model.ClearField("trainer_spec")
    (tmp_path / "x.model").write_bytes(model.SerializeToString())
    with pytest.raises(HornbookError, match="settings missing"):
        import_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"model_type": "char"}, "is a char model"),
        ({"treat_whitespace_as_suffix": True}, "before its word"),
    ],
)
def test_what_would_get_other_ids_is_refused(
    corpus: list[str], tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    learnt(corpus, tmp_path / "x.model", **options)
    with pytest.raises(HornbookError, match=told):
        import_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "holds no tokenizer"),
        ({"vocab.json": "{}"}, "has no merges.txt"),
        ({"vocab.json": '{"a": 0', "merges.txt": ""}, "can't be read as JSON"),
        ({"vocab.json": '{"a": 0}', "merges.txt": ""}, "lacks 255 of the 256 bytes"),
        ({"vocab.txt": "the\nfox"}, r"none of its 2 lines is \[UNK\]"),
        ({"tokenizer.json": "{"}, "can't be read as JSON"),
        ({"a.model": "", "b.model": ""}, "a.model and b.model"),
    ],
)
def test_bad_folders_get_one_line(tmp_path: Path, files: dict[str, str], told: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(HornbookError, match=told) as error:
        import_tokenizer(tmp_path)
    assert "\n" not in str(error.value)
