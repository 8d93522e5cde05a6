import json
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, models
from transformers import (
    AlbertConfig,
    AutoTokenizer,
    BertConfig,
    GPTNeoConfig,
    GPTNeoXConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    T5Config,
)

from hornbook.errors import HornbookError
from hornbook.tokenizers import STYLES, build_fast_tokenizer, sentinel_ids, tokenizer_hash

KINDS = ["bpe", "unigram", "wordpiece"]
PAIRS = [(style, kind) for style in STYLES for kind in KINDS if style != "gpt" or kind == "bpe"]
HEADS = {
    "shared": "masked",
    "roberta": "masked",
    "bert": "masked",
    "albert": "masked",
    "gpt": "causal",
    "t5": "seq2seq",
}
CONFIGS = [BertConfig, RobertaConfig, AlbertConfig, GPTNeoConfig, GPTNeoXConfig, T5Config]
TEXTS = [
    "The bad DOG, naïve café ÅØÆ åøæ, 1234.5!",
    "two  spaces\n\n\tand a tab 😀 Ω☃ ﬁ",
    "a <mask> b [MASK] c<extra_id_1> d</s>e",
    "",
]
OPEN = """
import json, sys
from transformers import AutoTokenizer
texts = json.loads(sys.argv[1])
result = {}
for folder in sys.stdin.read().split():
    tokenizer = AutoTokenizer.from_pretrained(folder)
    result[folder] = {
        "ids": [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts],
        "full": [tokenizer(text)["input_ids"] for text in texts],
        "roles": tokenizer.special_tokens_map,
        "special": tokenizer.all_special_ids,
        "size": len(tokenizer),
        "length": tokenizer.model_max_length,
        "names": tokenizer.model_input_names,
        "class": type(tokenizer).__name__,
        "lstrip": {t.content: t.lstrip for t in tokenizer.added_tokens_decoder.values()},
    }
assert "hornbook" not in sys.modules
print(json.dumps(result))
"""


@pytest.fixture(scope="module")
def opened(trained, tmp_path_factory) -> dict[tuple[str, str, str], dict]:
    """What AutoTokenizer makes, in another process, of every style and kind beside any config.json."""
    folders: dict[Path, tuple[str, str, str]] = {}
    for style, kind in PAIRS:
        dressed = build_fast_tokenizer(trained(style, kind), HEADS[style], 77, STYLES[style])
        for config in CONFIGS:
            folder = tmp_path_factory.mktemp("folder")
            dressed.save_pretrained(folder)
            config().save_pretrained(folder)
            folders[folder] = (style, kind, config.model_type)
    done = subprocess.run(
        [sys.executable, "-c", OPEN, json.dumps(TEXTS)],
        input="\n".join(map(str, folders)), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {folders[Path(folder)]: found for folder, found in json.loads(done.stdout).items()}


@pytest.mark.long
@pytest.mark.parametrize("config", [config.model_type for config in CONFIGS])
@pytest.mark.parametrize(("style", "kind"), PAIRS)
def test_autotokenizer_gives_the_very_ids(opened, trained, tmp_path, style, kind, config):
    found = opened[style, kind, config]
    trained(style, kind).save(str(tmp_path / "tokenizer.json"))
    bare = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    ids = [bare.encode(text).ids for text in TEXTS]
    assert found["ids"] == ids
    roles = STYLES[style].roles
    before = [bare.token_to_id(roles["cls_token"])] if HEADS[style] == "masked" else []
    last = {"masked": "sep_token", "seq2seq": "eos_token"}.get(HEADS[style])
    after = [bare.token_to_id(roles[last])] if last else []
    assert found["full"] == [[*before, *one, *after] for one in ids]
    assert found["roles"] == dict(roles)
    assert (found["size"], found["length"], found["class"]) == (1200, 77, "TokenizersBackend")
    assert found["names"] == ["input_ids", "attention_mask"]
    assert found["lstrip"] == {t.content: t.lstrip for t in bare.get_added_tokens_decoder().values()}
    assert sorted(found["special"]) == sorted(bare.get_added_tokens_decoder())


def test_templates_by_head(trained):
    bare, style = trained("shared", "bpe"), STYLES["shared"]
    a, b = bare.encode("an apple").ids, bare.encode("a pear").ids
    masked = build_fast_tokenizer(bare, "masked", 32, style, segments=True)
    assert masked("an apple")["input_ids"] == [1, *a, 2]
    pair = masked("an apple", "a pear")
    assert pair["input_ids"] == [1, *a, 2, 2, *b, 2]
    assert pair["token_type_ids"] == [0] * (len(a) + len(b) + 4)
    judged = build_fast_tokenizer(bare, "pairs", 32, style)("an apple", "a pear")
    assert judged["input_ids"] == [1, *a, 2, *b, 2]  # as objectives/pairs.py makes them, whatever the style
    assert judged["token_type_ids"] == [0] * (len(a) + 2) + [1] * (len(b) + 1)
    assert "token_type_ids" not in build_fast_tokenizer(bare, "masked", 32, style)("an apple", "a pear")
    assert build_fast_tokenizer(bare, "causal", 32, style)("an apple")["input_ids"] == a
    assert build_fast_tokenizer(bare, "seq2seq", 32, style)("an apple")["input_ids"] == [*a, 2]
    assert build_fast_tokenizer(bare, "seq2seq", 32, style)("an apple", "a pear")["input_ids"] == [
        *a,
        2,
        *b,
        2,
    ]


def test_a_mask_stands_for_the_word_and_its_space(trained):
    for kind in ("bpe", "unigram"):
        dressed = build_fast_tokenizer(trained("t5", kind), "seq2seq", 32, STYLES["t5"])
        zero = sentinel_ids(dressed)[0]
        ids = dressed("is <extra_id_0> the", add_special_tokens=False)["input_ids"]
        assert ids == [*dressed("is", add_special_tokens=False)["input_ids"], zero,
                       *dressed(" the", add_special_tokens=False)["input_ids"]]  # fmt: skip


def test_every_special_token_is_masked_out_and_skipped(trained):
    dressed = build_fast_tokenizer(trained("shared", "bpe"), "masked", 32, STYLES["shared"])
    ids = [*dressed("so")["input_ids"], *sentinel_ids(dressed), 0, 3, dressed.mask_token_id]
    mask = dressed.get_special_tokens_mask(ids, already_has_special_tokens=True)
    assert [m for m, i in zip(mask, ids, strict=True)] == [int(i in dressed.all_special_ids) for i in ids]
    assert dressed.decode(ids, skip_special_tokens=True) == "so"


def test_the_argument_stays_as_it_is(trained):
    bare = trained("shared", "bpe")
    bare.enable_truncation(3)
    before = bare.to_str()
    first = build_fast_tokenizer(bare, "masked", 32, STYLES["shared"])
    assert bare.to_str() == before
    assert len(first("a long text that isn't cut")["input_ids"]) > 5
    wrapped = first.backend_tokenizer.to_str()
    second = build_fast_tokenizer(first, "causal", 64)
    assert first.backend_tokenizer.to_str() == wrapped
    assert first("an apple")["input_ids"][1:-1] == second("an apple")["input_ids"]
    assert second.special_tokens_map == first.special_tokens_map


def test_missing_roles_are_named(trained):
    with pytest.raises(
        HornbookError, match=r"masked model needs cls_token, sep_token, mask_token.*<\|endoftext\|>"
    ):
        build_fast_tokenizer(trained("gpt", "bpe"), "masked", 8, STYLES["gpt"])
    with pytest.raises(HornbookError, match="seq2seq model needs eos_token"):
        build_fast_tokenizer(trained("bert", "bpe"), "seq2seq", 8, STYLES["bert"])
    with pytest.raises(HornbookError, match="no special tokens"):
        build_fast_tokenizer(trained("shared", "bpe"), "masked", 8)
    with pytest.raises(HornbookError, match=r"unk_token is \[UNK\].*1200 entries"):
        build_fast_tokenizer(trained("albert", "bpe"), "masked", 8, STYLES["bert"])
    both = Tokenizer(models.WordLevel({"<x>": 0, "<c>": 1, "<s>": 2}, unk_token="<x>"))
    both.add_special_tokens([AddedToken("<x>", special=True)])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=both, unk_token="<x>", mask_token="<x>", cls_token="<c>", sep_token="<s>"
    )
    with pytest.raises(HornbookError, match="mask_token and unk_token are both <x>"):
        build_fast_tokenizer(wrapped, "masked", 8)


@pytest.mark.parametrize("kind", KINDS)
def test_the_hash_ignores_dress_and_disk_but_no_word(trained, tmp_path, kind):
    bare = trained("shared", kind)
    hashed = tokenizer_hash(bare)
    for head in ("causal", "masked", "seq2seq"):
        dressed = build_fast_tokenizer(bare, head, 32, STYLES["shared"])
        dressed("a text", truncation=True, max_length=4, padding="max_length")
        dressed.save_pretrained(tmp_path)
        assert tokenizer_hash(dressed) == tokenizer_hash(AutoTokenizer.from_pretrained(tmp_path)) == hashed
    assert tokenizer_hash(trained("roberta", kind)) != hashed
    bare.add_tokens(["another"])
    assert tokenizer_hash(bare) != hashed


def test_a_role_makes_a_token_special(tmp_path):
    # 'special: false' in a foreign folder: decoding would keep '<s>' and masking would draw it.
    rust = Tokenizer(models.WordLevel({"<s>": 0, "</s>": 1, "a": 2}, unk_token="a"))
    rust.add_tokens([AddedToken("<s>", special=False), AddedToken("</s>", special=False)])
    wrapped = PreTrainedTokenizerFast(tokenizer_object=rust)
    wrapped._special_tokens_map |= {"bos_token": "<s>", "eos_token": "</s>"}
    assert not any(token.special for token in wrapped.added_tokens_decoder.values())
    dressed = build_fast_tokenizer(wrapped, "causal", 8)
    assert all(token.special for token in dressed.added_tokens_decoder.values())
    dressed.save_pretrained(tmp_path)
    saved = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert all(token.special for token in saved.get_added_tokens_decoder().values())
    opened = AutoTokenizer.from_pretrained(tmp_path)
    assert {i: token.special for i, token in opened.added_tokens_decoder.items()} == {0: True, 1: True}
    assert opened.decode([0, 2, 1], skip_special_tokens=True) == "a"
