"""What Hornbook puts around texts is what the published tokenizers put around them.

One row for each family: the published class, and a vocabulary of its special tokens and two letters. The class itself
says templates, types of segment, roles, ids, padding side and decoder.
"""

import json
from collections.abc import Mapping
from pydoc_data.topics import topics
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from tokenizers import Encoding, Tokenizer
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    AlbertTokenizer,
    BertTokenizer,
    GPT2Tokenizer,
    GPTNeoXTokenizer,
    PreTrainedTokenizerBase,
    RobertaTokenizer,
    T5Tokenizer,
)

from hornbook.families import FAMILIES
from hornbook.tokenizer import import_
from hornbook.tokenizers import STYLES, Template, TokenizerOptions, build_fast_tokenizer, load, train, write

BERT = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "a": 5, "b": 6}
ROBERTA = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5, "<mask>": 6}
GPT = {"<|endoftext|>": 0, "<|padding|>": 1, "a": 2, "b": 3}
ALBERT = [(piece, 0.0) for piece in ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]", "▁a", "▁b")]
SENTINELS = [(f"<extra_id_{number}>", 0.0) for number in reversed(range(100))]
T5 = [(piece, 0.0) for piece in ("<pad>", "</s>", "<unk>", "▁a", "▁b")] + SENTINELS


class Published(NamedTuple):
    """A family's published tokenizer, and what of it Hornbook departs from on purpose."""

    tokenizer: type[PreTrainedTokenizerBase]
    arguments: dict[str, Any]
    style: str
    """The style with the published ids: that of the family, or of the same tokens at other ids."""
    ours: Mapping[str, str | None] = MappingProxyType({})
    """Roles that a style fills otherwise: GPT has no unknown token, for bytes spell everything, and needs padding."""


# RoBERTa's own style here has padding at 0, which wastes no position; and so have RoBERTAlbert's and GPT-Neo's.
NO_UNKNOWN = {"unk_token": None, "pad_token": "<|padding|>"}
TABLE = {
    "bert": Published(BertTokenizer, {"vocab": BERT}, "bert"),
    "electra": Published(BertTokenizer, {"vocab": BERT}, "bert"),
    "roberta": Published(RobertaTokenizer, {"vocab": ROBERTA, "merges": []}, "roberta"),
    "robertalbert": Published(RobertaTokenizer, {"vocab": ROBERTA, "merges": []}, "roberta"),
    "albert": Published(AlbertTokenizer, {"vocab": ALBERT}, "albert"),
    "t5": Published(T5Tokenizer, {"vocab": T5}, "t5"),
    "gpt2": Published(GPT2Tokenizer, {"vocab": GPT, "merges": []}, "gpt", NO_UNKNOWN),
    "gpt_neo": Published(GPT2Tokenizer, {"vocab": GPT, "merges": []}, "gpt", NO_UNKNOWN),
    "gpt_neox": Published(GPTNeoXTokenizer, {"vocab": GPT, "merges": []}, "gpt", NO_UNKNOWN),
    # Llama's class begins a text with <s>; Hornbook's have GPT's tokens and its documents are joined, not framed.
    "llama": Published(GPTNeoXTokenizer, {"vocab": GPT, "merges": []}, "gpt", NO_UNKNOWN),
}
TEMPLATES: dict[str, Template] = {"gpt": "causal", "t5": "seq2seq"}
TEXT = [topics[name] for name in sorted(topics)[:12]]
ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "cls_token", "pad_token", "mask_token")


def around(rust: Tokenizer, roles: dict[str, str | None], *texts: str) -> list[tuple[str, int]]:
    """Say by its role, or as A and B, what stands at each place, and its type of segment."""
    names = {token: role for role, token in sorted(roles.items()) if token}
    encoding: Encoding = rust.encode(*texts)
    return [
        (names[token] if text is None else "AB"[text], kind)
        for token, text, kind in zip(encoding.tokens, encoding.sequence_ids, encoding.type_ids, strict=True)
    ]


def decoder(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """Give the decoder; the byte level's has options that it never reads."""
    found: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())["decoder"]
    return {"type": found["type"]} if found["type"] == "ByteLevel" else found


def test_every_family_is_in_the_table() -> None:
    assert FAMILIES.keys() == TABLE.keys()


@pytest.mark.parametrize("name", TABLE)
def test_a_family_is_as_published(name: str) -> None:
    row, family = TABLE[name], FAMILIES[name]
    published, style = row.tokenizer(**row.arguments), STYLES[row.style]
    template = TEMPLATES.get(row.style, "masked")
    options = TokenizerOptions(kind=family.kind, vocab_size=800)
    sentinels = 100 * (template == "seq2seq")
    bare = train(TEXT, options, style, sentinels)
    ours = build_fast_tokenizer(bare, template, 64, style)

    theirs = {role: getattr(published, role) for role in ROLES}
    assert {role: getattr(ours, role) for role in ROLES} == {**theirs, **row.ours}
    front = {token: number for token, number in published.get_vocab().items() if number < len(style.front)}
    assert {token: ours.convert_tokens_to_ids(token) for token in front} == front
    if "mask_token" in style.roles and style.back:
        last = published.mask_token_id == len(published) - 1
        assert last and ours.mask_token_id == len(ours) - 1
    assert published.padding_side == ours.padding_side == "right"
    for one in (ours, published):
        assert one.decode(one("a", add_special_tokens=False)["input_ids"]) == "a"
    if (
        family.kind != "unigram"
    ):  # ours spells bytes, and puts no space before a text that it would have to take away
        assert decoder(ours) == decoder(published)
    for of in (STYLES[row.style], STYLES[family.style]):
        made = build_fast_tokenizer(train(TEXT, options, of, sentinels), template, 64, of).backend_tokenizer
        for texts in (("a",), ("a", "b")):
            assert _once(around(made, {**of.roles}, *texts)) == _once(
                around(published.backend_tokenizer, theirs, *texts)
            )


def _once(places: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Count the pieces of a text as one."""
    return [
        one for place, one in enumerate(places) if not (place and one[0] in "AB" and places[place - 1] == one)
    ]


@pytest.mark.parametrize("family", ["roberta", None])
def test_robertas_files_get_its_form(family: str | None, tmp_path: Any) -> None:
    (tmp_path / "from").mkdir()
    alphabet = {letter: 4 + n for n, letter in enumerate(sorted(ByteLevel.alphabet()))}
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3} | alphabet | {"<mask>": 4 + len(alphabet)}
    (tmp_path / "from" / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    (tmp_path / "from" / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    import_(tmp_path / "from", tmp_path / "to", family)
    a, b = vocabulary["a"], vocabulary["b"]
    assert load(str(tmp_path / "to"))("a", "b")["input_ids"] == [0, a, 2, 2, b, 2]


def test_a_real_vocabulary_reads_two_texts_as_its_class_does(data: Any, tmp_path: Any) -> None:
    folder = data / "tokenizers" / "roberta-base"
    theirs = RobertaTokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    import_(folder, tmp_path / "to", "roberta")
    assert load(str(tmp_path / "to"))("One.", "Two?")["input_ids"] == theirs("One.", "Two?")["input_ids"]


def test_an_older_folder_of_ours_is_mended_by_importing_it(tmp_path: Any) -> None:
    style = STYLES["shared"]
    bare = train(TEXT, TokenizerOptions(kind="bpe", vocab_size=800), style, 0)
    write(build_fast_tokenizer(bare, "pairs", 64, style), tmp_path / "old")
    import_(tmp_path / "old", tmp_path / "new", "roberta")
    ids = load(str(tmp_path / "new"))("a", "b")["input_ids"]
    assert ids.count(style.front.index("</s>")) == 3
