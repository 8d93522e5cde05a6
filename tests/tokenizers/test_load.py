import json
import shutil
import time
import warnings

import pytest
from huggingface_hub import constants
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import T5Config

from hornbook.errors import HornbookError
from hornbook.tokenizers import (
    STYLES,
    build_fast_tokenizer,
    encode_documents,
    load,
    sentinel_ids,
    tokenizer_hash,
)

REAL = {
    # Size, and ids of some words, as published with the models.
    "gpt2": (50257, {"Ġthe": 262, "<|endoftext|>": 50256}),
    "roberta-base": (50265, {"Ġthe": 5, "<s>": 0, "<mask>": 50264}),
    "bert-base-uncased": (30522, {"the": 1996, "[MASK]": 103}),
    "t5-small": (32100, {"▁the": 8, "<extra_id_0>": 32099, "<extra_id_99>": 32000}),
    "gpt-neox-20b": (50277, {"Ġthe": 253, "<|padding|>": 1}),
    "tinystories-33m": (50257, {"Ġthe": 262}),
}
TEXT_WITH_TOKENS = "the tag </s> and <extra_id_3> <s><mask> [MASK] [SEP] <|endoftext|> <pad>"


@pytest.mark.parametrize("name", REAL)
def test_real_tokenizers_load_and_dress_with_their_ids(data, name):
    folder = data / "tokenizers" / name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tokenizer = load(str(folder))
    size, known = REAL[name]
    assert len(tokenizer) == size
    assert {token: tokenizer.get_vocab()[token] for token in known} == known
    story = (data / "stories" / "fairytales_val.txt").read_text("utf-8")[:30_000].replace("<|endoftext|>", "")
    texts = [*story.split("\n\n"), "Åse så på  øya.\n\tÆrlig 😀!"]
    if (folder / "tokenizer.json").exists():
        reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
    else:
        model = models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
        reference = Tokenizer(model)
        reference.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    ids = [encoding.ids for encoding in reference.encode_batch(texts, add_special_tokens=False)]
    dressed = build_fast_tokenizer(tokenizer, "causal", 128)
    assert encode_documents(tokenizer, texts) == ids
    assert encode_documents(dressed, texts) == ids
    assert dressed(texts[0])["input_ids"] == ids[0]
    assert dressed.special_tokens_map == tokenizer.special_tokens_map
    assert tokenizer_hash(dressed) == tokenizer_hash(tokenizer)


@pytest.mark.parametrize("name", REAL)
def test_no_text_becomes_a_control_token_of_a_real_tokenizer(data, name):
    tokenizer = load(str(data / "tokenizers" / name))
    ids = encode_documents(tokenizer, [TEXT_WITH_TOKENS])[0]
    control = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    lossy = name in ("t5-small", "bert-base-uncased")  # the one has no '<', the other no upper case
    assert (control - {tokenizer.unk_token_id} if lossy else control).isdisjoint(ids)
    if not lossy:
        assert tokenizer.backend_tokenizer.decode(ids, skip_special_tokens=True) == TEXT_WITH_TOKENS


def test_roles_come_from_the_ids_where_no_file_declares_them(data):
    assert load(str(data / "tokenizers" / "gpt-neox-20b")).special_tokens_map == dict(STYLES["gpt"].roles)
    roberta = load(str(data / "tokenizers" / "roberta-base"))
    assert roberta.special_tokens_map == dict(STYLES["roberta"].roles)
    masked = build_fast_tokenizer(roberta, "masked", 16)
    assert masked("a <mask> b")["input_ids"] == [0, 102, 50264, 741, 2]
    assert len(sentinel_ids(load(str(data / "tokenizers" / "t5-small")))) == 100


def test_tokenizer_json_decides_where_the_class_would_rebuild_it(tmp_path):
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((c, -3.0) for c in "abdgoth")]
    rust = Tokenizer(models.Unigram(pieces, 2))
    rust.normalizer = normalizers.Lowercase()
    rust.pre_tokenizer = pre_tokenizers.Metaspace()
    rust.decoder = decoders.Metaspace()
    rust.add_special_tokens(["<pad>", "</s>", "<unk>"])
    rust.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer"}))
    T5Config().save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match="T5Tokenizer splits text differently"):
        tokenizer = load(str(tmp_path))
    text = "The bad DOG"
    assert tokenizer(text, add_special_tokens=False)["input_ids"] == rust.encode(text).ids
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id) == (0, 1, 2)


@pytest.fixture
def folder(trained, tmp_path):
    build_fast_tokenizer(trained("shared", "bpe"), "masked", 32, STYLES["shared"]).save_pretrained(
        tmp_path / "good"
    )
    return tmp_path / "good"


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
def test_torn_files_get_one_line(folder, name):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(HornbookError) as error:
        load(str(folder))
    assert "\n" not in str(error.value)
    assert name in str(error.value)


def test_missing_files_get_one_line(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (folder / "tokenizer.json").unlink()
    for path in (tmp_path / "empty", folder):
        with pytest.raises(HornbookError, match=r"can't be opened as a tokenizer.*tokenizer\.json"):
            load(str(path))
    for path in (str(tmp_path / "nowhere"), "./nowhere", "a/b/c"):
        with pytest.raises(HornbookError, match="there is no tokenizer folder"):
            load(path)


def test_code_that_comes_along_never_runs(folder, tmp_path):
    marker = tmp_path / "it-ran"
    (folder / "code.py").write_text(f"open({str(marker)!r}, 'w')\nclass Mine: pass\n")
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config |= {"tokenizer_class": "Mine", "auto_map": {"AutoTokenizer": ["code.Mine", None]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(HornbookError):
        load(str(folder))
    assert not marker.exists()


def test_a_hub_name_without_a_network_is_refused_soon(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    started = time.monotonic()
    with pytest.raises(
        HornbookError, match="no-such-owner/no-such-name is no folder here and can't be fetched"
    ):
        load("no-such-owner/no-such-name")
    assert time.monotonic() - started < 10


def test_a_saved_folder_loads_as_itself(folder, trained):
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    loaded = load(str(copy))
    assert tokenizer_hash(loaded) == tokenizer_hash(trained("shared", "bpe"))
    assert loaded.special_tokens_map == dict(STYLES["shared"].roles)


@pytest.mark.parametrize("kind", ["bpe", "unigram", "wordpiece"])
def test_encode_leaves_settings_as_they_were_and_cuts_nothing(trained, kind):
    tokenizer = trained("shared", kind)
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=9)
    before, text = tokenizer.to_str(), "the <mask> statement </s> is <extra_id_0> executed"
    ids = encode_documents(tokenizer, [text, "the"])
    assert len(ids[0]) > 6
    assert len(ids[1]) == 1
    assert not set(tokenizer.get_added_tokens_decoder()) & {*ids[0], *ids[1]}
    assert tokenizer.to_str() == before
    assert not tokenizer.encode_special_tokens
