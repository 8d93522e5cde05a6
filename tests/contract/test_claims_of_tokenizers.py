"""What checks say of tokenizers and their files goes wrong so, in the libraries' own classes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    AlbertConfig,
    AlbertTokenizer,
    AutoConfig,
    AutoTokenizer,
    BertTokenizer,
    DataCollatorForLanguageModeling,
    GPT2Tokenizer,
    PreTrainedTokenizerFast,
    RobertaTokenizer,
    T5Config,
    T5Tokenizer,
)

from tests.contract.claims import claim
from tests.contract.test_specimens import SPECIMENS

Specimen = Callable[[str], Path]


@pytest.fixture
def specimen(sick: Any) -> Specimen:
    """Make a specimen of `test_specimens.py` by its name."""

    def one(name: str) -> Path:
        made = next(make for _, _, make in SPECIMENS if make.__name__ == name)(sick)
        return made[0] if isinstance(made, tuple) else made

    return one


def byte_level(tmp_path: Path, *special: str) -> dict[str, str]:
    """Write vocab.json and merges.txt as GPT-2 has them, with special tokens at the end."""
    rust = Tokenizer(models.BPE())
    rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    rust.train_from_iterator(["Once upon a time there was a little girl."] * 4, trainer)
    model = json.loads(rust.to_str())["model"]
    vocabulary = model["vocab"] | {token: len(model["vocab"]) + i for i, token in enumerate(special)}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    (tmp_path / "merges.txt").write_text("\n".join(map(" ".join, model["merges"])), "utf-8")
    return {"vocab": str(tmp_path / "vocab.json"), "merges": str(tmp_path / "merges.txt")}


def roberta(tmp_path: Path) -> Any:
    return RobertaTokenizer(**byte_level(tmp_path, "<s>", "<pad>", "</s>", "<unk>", "<mask>"))


def batches(tokenizer: Any, *rows: list[int], **options: Any) -> Any:
    torch.manual_seed(0)
    collate = DataCollatorForLanguageModeling(tokenizer, **options)
    return collate([{"input_ids": row} for row in rows])


@claim("C01")
def test_a_class_throws_the_normalizer_away(specimen: Specimen) -> None:
    folder = specimen("discarded_normalizer")
    rust = Tokenizer.from_file(str(folder / "tokenizer.json"))
    opened = AutoTokenizer.from_pretrained(folder)
    assert rust.encode("The bad DOG").ids == rust.encode("the bad dog").ids
    assert opened("The bad DOG").input_ids != opened("the bad dog").input_ids


@claim("C02")
@pytest.mark.parametrize(("kind", "fixed"), [(T5Tokenizer, 2), (AlbertTokenizer, 1)])
def test_the_unknown_id_is_the_classs_own(kind: Any, fixed: int) -> None:
    names = ["<unk>", "<s>", "</s>", "<pad>", "[CLS]", "[SEP]", "[MASK]", "▁", "a", "b"]
    opened = kind(vocab=[(name, -float(i)) for i, name in enumerate(names)])
    assert fixed in opened.backend_tokenizer.encode("a Ω☃", add_special_tokens=False).ids


@claim("C03")
def test_old_files_with_a_lost_token_do_not_open(specimen: Specimen) -> None:
    folder = specimen("stale_merges")
    with pytest.raises(Exception, match=r"Error while initializing BPE: Token .* out of vocabulary"):
        models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))


@claim("C04")
def test_what_has_no_byte_is_deleted(specimen: Specimen) -> None:
    rust = Tokenizer.from_file(str(specimen("no_alphabet") / "tokenizer.json"))
    rust.decoder = decoders.ByteLevel()
    assert rust.decode(rust.encode("what, Zoë a day?").ids) == "what  a day"


@claim("C06")
def test_a_token_that_no_merge_makes_is_never_seen(specimen: Specimen) -> None:
    folder = specimen("lost_merge")
    rust = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]
    products = {"".join(pair if isinstance(pair, list) else pair.split()) for pair in model["merges"]}
    [lost] = [t for t in model["vocab"] if len(t) > 1 and t not in products and not t.startswith("<")]
    text = decoders.ByteLevel().decode([lost])
    assert rust.token_to_id(lost) not in rust.encode(text).ids


@claim("C11")
def test_the_collator_ignores_ends_that_are_padding(tmp_path: Path) -> None:
    gpt = GPT2Tokenizer(**byte_level(tmp_path, "<|endoftext|>"), pad_token="<|endoftext|>")
    end = gpt.eos_token_id
    assert batches(gpt, [46, 88, 13, end], mlm=False)["labels"].tolist() == [[46, 88, 13, -100]]


@claim("C14")
def test_a_mask_that_is_not_there_is_the_unknown_token(tmp_path: Path) -> None:
    gpt = GPT2Tokenizer(**byte_level(tmp_path, "<|endoftext|>"))
    assert gpt.convert_tokens_to_ids("<mask>") == gpt.unk_token_id == gpt.eos_token_id


@claim("C15")
def test_robertas_class_adds_its_tokens_behind_the_vocabulary(tmp_path: Path) -> None:
    files = byte_level(tmp_path, "<|endoftext|>")
    opened, size = RobertaTokenizer(**files), len(json.loads(Path(files["vocab"]).read_text("utf-8")))
    assert {opened.bos_token_id, opened.eos_token_id, opened.mask_token_id} & set(range(size, size + 5))


@claim("C16", "C24")
def test_the_collator_draws_from_all_ids(tmp_path: Path) -> None:
    """Added tokens are among its random words, and special ones."""
    tokenizer = roberta(tmp_path)
    tokenizer.add_tokens([f"new{i}" for i in range(300)])
    words = list(range(20, 60))
    made = batches(
        tokenizer, *[words] * 40, mlm_probability=0.9, mask_replace_prob=0.0, random_replace_prob=1.0
    )
    assert made["input_ids"].max() >= len(tokenizer) - 300
    assert set(made["input_ids"].flatten().tolist()) & set(tokenizer.all_special_ids)


@claim("C19")
def test_an_undeclared_frame_is_masked_and_predicted(specimen: Specimen) -> None:
    tokenizer = AutoTokenizer.from_pretrained(specimen("undeclared_frame"))
    ids = tokenizer("a text of words").input_ids
    labels = batches(tokenizer, *[ids] * 40, mlm_probability=0.5)["labels"]
    assert {ids[0], ids[-1]} <= set(labels.flatten().tolist())


@claim("C20")
def test_what_is_not_marked_stays_in_the_text(specimen: Specimen) -> None:
    tokenizer = AutoTokenizer.from_pretrained(specimen("not_special"))
    rust = Tokenizer.from_file(str(specimen("not_special") / "tokenizer.json"))
    sep = tokenizer.sep_token_id
    assert rust.decode([sep], skip_special_tokens=True) == "[SEP]"
    assert rust.encode("a [SEP] b", add_special_tokens=False).special_tokens_mask == [0] * 3


@claim("C21")
def test_robertas_class_leaves_the_space_before_a_mask(tmp_path: Path) -> None:
    assert roberta(tmp_path).tokenize("a <mask> b") == ["a", "Ġ", "<mask>", "Ġ", "b"]


@claim("C22")
def test_a_tag_in_a_text_is_a_control_token(tmp_path: Path) -> None:
    gpt = GPT2Tokenizer(**byte_level(tmp_path, "<|endoftext|>"))
    assert gpt.eos_token_id in gpt("the tag <|endoftext|> ends").input_ids
    assert gpt.eos_token_id not in gpt("the tag <|endoftext|> ends", split_special_tokens=True).input_ids


@claim("C23")
def test_ordinary_text_becomes_a_token_that_is_normalized() -> None:
    rust = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1, "[MASK]": 2}, unk_token="[UNK]"))
    rust.normalizer, rust.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer()
    rust.add_special_tokens([AddedToken("[MASK]", special=True, normalized=True)])
    assert 2 in rust.encode("a [mask]").ids


@claim("C25")
def test_robertas_template_ends_a_prompt(tmp_path: Path) -> None:
    tokens = roberta(tmp_path)("Once upon").tokens()
    assert (tokens[0], tokens[-1]) == ("<s>", "</s>")


@claim("C26")
def test_gpt2s_class_appends_no_end(tmp_path: Path) -> None:
    gpt = GPT2Tokenizer(**byte_level(tmp_path, "<|endoftext|>"))
    assert gpt("The end.").input_ids[-1] != gpt.eos_token_id


@claim("C28")
def test_without_a_length_a_tokenizer_never_cuts(tmp_path: Path) -> None:
    text = "Once upon a time " * 900
    assert len(roberta(tmp_path)(text, truncation=True).input_ids) > 900
    short = RobertaTokenizer(**byte_level(tmp_path, "<s>", "</s>"), model_max_length=32)
    assert len(short(text, truncation=True).input_ids) == 32


@claim("C30")
def test_a_sentinel_that_is_not_there_is_unknown() -> None:
    rust = Tokenizer(models.Unigram([("<unk>", 0.0), ("a", -1.0)], unk_id=0))
    plain = PreTrainedTokenizerFast(tokenizer_object=rust, unk_token="<unk>")
    assert plain.convert_tokens_to_ids("<extra_id_0>") == plain.unk_token_id


@claim("C31")
def test_where_ids_ascend_the_last_is_extra_id_99() -> None:
    """So T5's class of transformers 5 appends them to a vocabulary without any."""
    opened = T5Tokenizer(vocab=[("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0), ("a", -2.0)])
    assert opened.convert_ids_to_tokens(len(opened) - 1) == "<extra_id_99>"


@claim("C32")
def test_more_spans_than_sentinels() -> None:
    """As google-research/text-to-text-transfer-transformer counts them, in `random_spans_noise_mask`."""
    noise = round(2048 * 0.15)
    assert round(noise / 3) == 102 > 100


@claim("C33")
def test_a_sentinel_in_the_text_is_learned_as_a_piece() -> None:
    rust = Tokenizer(models.BPE())
    rust.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(vocab_size=200, show_progress=False)
    rust.train_from_iterator(["a span <extra_id_0> stands here", "or <extra_id_0> there"] * 50, trainer)
    assert rust.token_to_id("<extra_id_0>") is not None
    assert rust.encode("<extra_id_0>").tokens == ["<extra_id_0>"]


@claim("C39")
def test_robertas_template_tells_no_segments(tmp_path: Path) -> None:
    pair = roberta(tmp_path)("a", "b", return_token_type_ids=True)
    assert set(pair["token_type_ids"]) == {0}


@claim("C58")
def test_a_space_before_a_word_is_another_token(tmp_path: Path) -> None:
    plain = GPT2Tokenizer(**byte_level(tmp_path, "<|endoftext|>"))
    assert plain.tokenize("upon") != plain.tokenize(" upon")


@claim("C60")
def test_alberts_class_cannot_open_a_bpe(specimen: Specimen) -> None:
    with pytest.raises(TypeError, match="'dict' object is not an instance of 'Sequence'"):
        AutoTokenizer.from_pretrained(specimen("no_class"))


@claim("C61")
def test_an_id_without_a_token_is_nothing(tmp_path: Path) -> None:
    opened = roberta(tmp_path)
    assert opened.decode([40_000]) == ""


@claim("C62")
def test_wordpiece_gives_up_after_a_hundred_characters() -> None:
    rust = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1, "##a": 2}, unk_token="[UNK]"))
    assert set(rust.encode("a" * 100).ids) == {1, 2} and rust.encode("a" * 101).ids == [0]


@claim("C63")
def test_trainers_make_byte_pieces_that_are_no_bytes() -> None:
    pieces = [f"<0x{byte:02X}>" for byte in range(256)]
    unigram = Tokenizer(models.Unigram())
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=["<unk>", *pieces], unk_token="<unk>", show_progress=False
    )
    unigram.train_from_iterator(["a text of words"] * 9, trainer)
    assert json.loads(unigram.to_str())["model"]["byte_fallback"] is False
    assert unigram.encode("Ω").ids == [unigram.token_to_id("<unk>")]
    bpe = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    bpe.decoder = decoders.ByteFallback()
    bpe.train_from_iterator(
        ["a text of words"] * 9, trainers.BpeTrainer(special_tokens=["<unk>", *pieces], show_progress=False)
    )
    ids = [bpe.token_to_id("<0x41>")]
    assert bpe.decode(ids, skip_special_tokens=False) == "A" and bpe.decode(ids) == ""


@claim("C64")
def test_special_tokens_move_when_a_tokenizer_is_trained_again(tmp_path: Path) -> None:
    old = roberta(tmp_path)
    new = old.train_new_from_iterator(["Once upon a time"] * 9, 290)
    assert new.mask_token_id != old.mask_token_id


@claim("H01")
def test_without_a_type_the_folder_is_refused(specimen: Specimen, tmp_path: Path) -> None:
    folder = specimen("no_type").rename(tmp_path / "mine")
    with pytest.raises(ValueError, match="model_type"):
        AutoConfig.from_pretrained(folder)


@claim("H04")
def test_bert_and_roberta_read_framed_texts(tmp_path: Path) -> None:
    bert = BertTokenizer(vocab={"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "a": 5})
    assert bert("a").input_ids == [2, 5, 3]
    assert roberta(tmp_path)("a").tokens() == ["<s>", "a", "</s>"]


@claim("H08")
def test_a_collator_needs_its_tokens(tmp_path: Path) -> None:
    gpt = GPT2Tokenizer(**byte_level(tmp_path, "<|endoftext|>"), pad_token="<|endoftext|>")
    with pytest.raises(ValueError, match="mask token"):
        batches(gpt, [1, 2, 3])


@claim("H10")
def test_pairs_have_the_form_of_their_class(tmp_path: Path) -> None:
    bert = BertTokenizer(vocab={"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "a": 5, "b": 6})
    assert bert("a", "b").input_ids == [2, 5, 3, 6, 3]
    assert roberta(tmp_path)("a", "b").tokens() == ["<s>", "a", "</s>", "</s>", "b", "</s>"]
    albert = AlbertTokenizer(
        vocab=[
            ("<pad>", 0.0),
            ("<unk>", 0.0),
            ("[CLS]", 0.0),
            ("[SEP]", 0.0),
            ("[MASK]", 0.0),
            ("▁a", -1.0),
            ("▁b", -1.0),
        ]
    )
    assert albert("a", "b").tokens() == ["[CLS]", "▁a", "[SEP]", "▁b", "[SEP]"]


@claim("P01")
def test_what_does_not_come_back_was_never_in_the_ids(specimen: Specimen) -> None:
    rust = Tokenizer.from_file(str(specimen("no_alphabet") / "tokenizer.json"))
    assert rust.encode("what?").ids == rust.encode("what").ids


@claim("C38")
def test_robertalbert_has_one_type_and_t5_none() -> None:
    assert not hasattr(T5Config(), "type_vocab_size") and AlbertConfig().type_vocab_size == 2
