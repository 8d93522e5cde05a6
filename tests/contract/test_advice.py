"""What a check advises, done to the letter on what provoked it: nothing is wrong then, and nothing lost.

Three tables say where each check's advice is followed: commands and settings here, batches and modules in
`test_advice_on_batches.py`, and what `--fix` does by itself in `test_specimens.py`. A check in none of them fails.
"""

import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AlbertForMaskedLM,
    AutoTokenizer,
    BertForMaskedLM,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
)

from hornbook.cli import main
from hornbook.contract import CHECKS, examine, mend
from hornbook.contract.subject import Subject
from hornbook.tokenizers import (
    STYLES,
    TokenizerOptions,
    build_fast_tokenizer,
    encode_documents,
    load,
    sentinel_ids,
    train,
)
from hornbook.tokenizers.folder import write
from tests.contract import test_advice_on_batches
from tests.contract.test_specimens import FIXABLE, SPECIMENS

Follow = Callable[[Path], Any]
FOLLOWED: dict[str, list[tuple[str, Follow]]] = {}
"""For each check, what a reader of its advice does to the copy of a folder; the specimen's name, and the deed."""


def advice(id: str, specimen: str) -> Callable[[Follow], Follow]:
    """Enter what the advice of check `id` asks for, done to the folder that `specimen` makes."""

    def enter(follow: Follow) -> Follow:
        FOLLOWED.setdefault(id, []).append((specimen, follow))
        return follow

    return enter


AUTHORED = {f"T{number:02}" for number in range(1, 13)}
"""Advice on one's own class: `test_authored.py` has the wrong class beside the right one, `test_custom.py` T12's."""


def test_the_advice_of_every_check_is_followed() -> None:
    elsewhere = test_advice_on_batches.FOLLOWED
    assert {id for id, one in CHECKS.items() if one.mend} == FIXABLE <= {id for id, _, _ in SPECIMENS}
    assert CHECKS.keys() == FOLLOWED.keys() | elsewhere | FIXABLE | AUTHORED


def hornbook(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["hornbook", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code


def set_in(folder: Path, name: str, **values: Any) -> None:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


def command(id: str) -> list[str]:
    """Find the command of hornbook in a check's advice."""
    [words] = re.findall(r"`hornbook ([^`]+)`", CHECKS[id].fix)
    return shlex.split(words)


def reindexed(id: str) -> Follow:
    def follow(folder: Path) -> None:
        old, new = load(str(folder)), folder.with_name("reindexed")
        words = [word.replace("FAMILY", "roberta") for word in command(id)]  # the model's own
        with pytest.MonkeyPatch.context() as patch:
            hornbook(patch, *words, str(folder), "--out", str(new))
        shutil.copytree(new, folder, dirs_exist_ok=True)
        # A tokenizer's folder may say what it was once beside: the configuration stays the reader's.
        set_in(folder, "config", pad_token_id=AutoTokenizer.from_pretrained(folder).pad_token_id)
        assert load(str(folder)).get_vocab().keys() == old.get_vocab().keys()

    return follow


for _id, _specimen in {"C07": "pad_of_gpt", "C10": "pad_is_end", "C14": "no_mask"}.items():
    advice(_id, _specimen)(reindexed(_id))


@advice("C04", "no_alphabet")
def train_with_the_alphabet(folder: Path) -> None:
    rust = Tokenizer(models.BPE())
    rust.pre_tokenizer, rust.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        special_tokens=["<pad>", "<s>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    rust.train_from_iterator(["what a day"] * 5, trainer)
    rust.save(str(folder / "tokenizer.json"))


@advice("C06", "lost_merge")
def use_the_row_for_a_special_token(folder: Path) -> None:
    """`hornbook tokenizer reindex --place` takes it first."""
    old, new = load(str(folder)), folder.with_name("reindexed")
    model = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]
    products = {"".join(pair if isinstance(pair, list) else pair.split(" ")) for pair in model["merges"]}
    added = set(old.get_added_vocab())
    lost = {token for token in model["vocab"] if len(token) > 1 and token not in products | added}
    with pytest.MonkeyPatch.context() as patch:
        hornbook(patch, "tokenizer", "reindex", str(folder), "--place", "<sep>=5", "--out", str(new))
    shutil.copytree(new, folder, dirs_exist_ok=True)
    assert old.get_vocab().keys() - load(str(folder)).get_vocab().keys() <= lost


@advice("C11", "pad_ends")
def pad_of_its_own(folder: Path) -> None:
    set_in(folder, "tokenizer_config", pad_token="<|padding|>")
    set_in(folder, "config", pad_token_id=load(str(folder)).convert_tokens_to_ids("<|padding|>"))


def test_the_batches_of_hornbook_teach_to_stop(sick: Any) -> None:
    subject = Subject.of_folders(dict(named())["pad_ends"](sick))
    batch = subject.learning_batch
    assert batch is not None and (batch["labels"] == subject.role("eos")).any()


@advice("C26", "no_end")
def declare_the_end(folder: Path) -> None:
    set_in(folder, "tokenizer_config", eos_token="</s>")


@advice("C31", "ascending")
def look_them_up_by_name(folder: Path) -> None:
    """Which leaves the folder as it is: the note stays, and the ids that are found are right."""
    tokenizer = load(str(folder))
    wanted = [tokenizer.convert_tokens_to_ids(f"<extra_id_{i}>") for i in range(20)]
    assert sentinel_ids(tokenizer) == wanted == sorted(wanted)


@advice("C32", "too_many_spans")
def shorten(folder: Path) -> None:
    set_in(folder, "tokenizer_config", model_max_length=256)


@advice("C32", "too_many_spans")
def add_sentinels(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"<extra_id_{i}>" for i in range(20, 130)], special_tokens=True)
    tokenizer.save_pretrained(folder)
    set_in(folder, "config", vocab_size=-(-len(tokenizer) // 64) * 64)


@advice("C33", "learned_sentinel")
def declare_before_training(folder: Path) -> None:
    text = ["The <extra_id_0> is a token. " * 3, *json.loads((folder / "tokenizer.json").read_text("utf-8"))]
    options = TokenizerOptions(kind="unigram", vocab_size=500)
    bare = train(text * 5, options, STYLES["t5"], 20)
    write(build_fast_tokenizer(bare, "seq2seq", 64, STYLES["t5"]), folder)


@advice("C37", "loud_head")
def start_the_embedding_smaller(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["bert.embeddings.word_embeddings.weight"] /= 100
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


@advice("C40", "idle_type")
def one_type(folder: Path) -> None:
    set_in(folder, "config", type_vocab_size=1)


@advice("C58", "space_or_not")
def say_what_tokenizer_json_says(folder: Path) -> None:
    set_in(folder, "tokenizer_config", add_prefix_space=False)


@advice("C61", "rounded_up")
def keep_generated_ids_low(folder: Path) -> None:
    """Which a note asks for where texts are generated: here by a GPT with as many rows."""
    tokens, rows = len(load(str(folder))), Subject.of_folders(folder).config.vocab_size
    model = GPT2LMHeadModel(GPT2Config(vocab_size=rows, n_embd=32, n_layer=1, n_head=2, eos_token_id=0))
    beyond = list(range(tokens, rows))
    made = model.generate(torch.tensor([[5, 6]]), max_new_tokens=20, do_sample=True, suppress_tokens=beyond)
    assert beyond and made.max() < tokens


@advice("H02", "pickled")
def save_again(folder: Path) -> None:
    model = BertForMaskedLM(Subject.of_folders(folder).config)
    (folder / "pytorch_model.bin").unlink()
    model.save_pretrained(folder)


def test_what_is_saved_again_has_its_loss(healthy: Any, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(healthy("bert-tiny"), old)
    torch.save(load_file(old / "model.safetensors"), old / "pytorch_model.bin")
    (old / "model.safetensors").unlink()
    assert "H02" in {one.id for one in examine(old).problems}
    shutil.copytree(old, new, ignore=shutil.ignore_patterns("*.bin"))
    BertForMaskedLM.from_pretrained(old).save_pretrained(new)
    assert "H02" not in {one.id for one in examine(new).problems}
    assert loss(new) == loss(healthy("bert-tiny"))


@advice("H03", "odd_heads")
def change_what_is_named(folder: Path) -> None:
    [told] = [one.found for one in examine(folder).problems if one.id == "H03"]
    assert "heads" in told and "5" in told
    set_in(folder, "config", num_attention_heads=2)


@advice("H04", "no_frame")
def put_on_a_template(folder: Path) -> None:
    write(build_fast_tokenizer(load(str(folder)), "masked", 64), folder)


@advice("H07", "half_the_weights")
def name_the_layers_that_are_there(folder: Path) -> None:
    """A file that lacks a layer is copied again; that a copy is whole, `test_healthy.py` shows."""
    BertForMaskedLM(Subject.of_folders(folder).config).save_pretrained(folder)


def test_a_class_is_named_whose_weights_they_are(sick: Any) -> None:
    folder = sick("bert-tiny")
    BertModel(Subject.of_folders(folder).config).save_pretrained(folder)
    set_in(folder, "config", architectures=["BertForMaskedLM"])
    assert "H07" in {one.id for one in examine(folder).problems}
    set_in(folder, "config", architectures=["BertModel"])
    assert "H07" not in {one.id for one in examine(folder).problems}


@advice("H08", "no_cls")
def take_a_tokenizer_that_has_them(folder: Path) -> None:
    new = folder.with_name("trained")
    words = [word.replace("...", "bert") for word in command("H08")]
    with pytest.MonkeyPatch.context() as patch:
        hornbook(patch, *words, "--for", "bert", "--vocab-size", "600", "--length", "64", "--out", str(new))
    shutil.copytree(new, folder, dirs_exist_ok=True)


@advice("H11", "one_nan")
def take_an_earlier_checkpoint(folder: Path) -> None:
    BertForMaskedLM(Subject.of_folders(folder).config).save_pretrained(folder)


@advice("H09", "too_large")
def make_it_narrower(folder: Path) -> None:
    """A copy without the weights, in which what is too large is made smaller."""
    assert not list(folder.glob("*.safetensors"))
    set_in(folder, "config", vocab_size=832)


@advice("P01", "no_decoder")
def the_decoder_that_belongs(folder: Path) -> None:
    rust = Tokenizer.from_file(str(folder / "tokenizer.json"))
    rust.decoder = decoders.ByteLevel()
    rust.save(str(folder / "tokenizer.json"))


@advice("C62", "unknown_words")
def bytes_to_fall_back_on(folder: Path) -> None:
    bare = train(
        ["The word is long. " * 9] * 9, TokenizerOptions(kind="unigram", vocab_size=400), STYLES["bert"], 0
    )
    write(build_fast_tokenizer(bare, "masked", 64, STYLES["bert"]), folder)


@advice("C22", "tags_in_the_text")
def encode_as_text(folder: Path) -> None:
    """Which changes no folder: the text keeps its tags, and they are words."""
    tokenizer, text = load(str(folder)), "The tag </s> ends a paragraph."
    plain = tokenizer(text, split_special_tokens=True).input_ids
    assert tokenizer.eos_token_id in tokenizer(text).input_ids and tokenizer.eos_token_id not in plain
    assert encode_documents(tokenizer, [text]) == [plain]


STAYS = {"C22", "C31", "C61"}
"""Advice that leaves a folder as it is, and says how to work with it."""
LEARNED_ANEW = {"C04", "C33", "C62", "H08"}
"""Advice to train another tokenizer: its pieces are others."""


def named() -> list[tuple[str, Any]]:
    return [(make.__name__, make) for _, _, make in SPECIMENS]


@pytest.mark.parametrize(
    ("id", "specimen", "follow"),
    [
        pytest.param(id, *one, marks=[pytest.mark.long] if id == "H08" else [])
        for id, deeds in sorted(FOLLOWED.items())
        for one in deeds
    ],
    ids=[f"{id}-{one[1].__name__}" for id, deeds in sorted(FOLLOWED.items()) for one in deeds],
)
def test_advice_that_is_followed_mends(
    id: str, specimen: str, follow: Follow, sick: Any, tmp_path: Path
) -> None:
    made = dict(named())[specimen](sick)
    folder, options = made if isinstance(made, tuple) else (made, {})
    assert id in {one.id for one in examine(folder, **options).problems}
    new = tmp_path / "new"
    shutil.copytree(folder, new)
    follow(new)
    report = examine(new, **options)
    assert not report.errors, [f"{one.id} {one.found}" for one in report.errors]
    if id not in STAYS:
        assert id not in {one.id for one in report.problems}
    old, now = load(str(folder)), AutoTokenizer.from_pretrained(new)
    assert old.special_tokens_map.keys() <= now.special_tokens_map.keys()
    if id not in LEARNED_ANEW | {"C06"}:
        assert old.get_vocab().keys() <= now.get_vocab().keys()


def loss(folder: Path) -> float:
    """Compute the loss of Hugging Face's class on ordinary words and some special tokens."""
    subject = Subject.of_folders(folder)
    ids = torch.arange(4, 36).view(2, 16)
    extra = {"decoder_input_ids": ids} if subject.config.is_encoder_decoder else {}
    with torch.no_grad():
        output = subject.model(input_ids=ids, **extra)
    logits = output.logits if "logits" in output else output.prediction_logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten()).item()


OTHERWISE = {"C35", "C44", "lost_head"}
"""A head that had learned nothing is drawn; a model that looked ahead no longer does; a head is nowhere."""
MENDED = [one for one in SPECIMENS if one[0] in FIXABLE and not OTHERWISE & {one[0], one[2].__name__}]


@pytest.mark.long
@pytest.mark.parametrize(
    ("id", "twin", "make"), MENDED, ids=[f"{one[0]}-{one[2].__name__}" for one in MENDED]
)
def test_a_mended_folder_has_the_loss_of_its_healthy_twin(
    id: str, twin: str, make: Any, sick: Any, healthy: Any, tmp_path: Path
) -> None:
    made = make(lambda preset, weights=True, **files: sick(preset, True, **files))
    folder, options = made if isinstance(made, tuple) else (made, {})
    fixable = {one.id for one in examine(folder, **options).problems if one.fixable}
    if Subject.of_folders(folder).model is None or id not in fixable:
        pytest.skip("weights of other sizes than it says can't be mended")
    mend(tmp_path / "mended", folder, **options)
    expected = folder if make.__name__ == "untied_head" else healthy(twin)
    assert loss(tmp_path / "mended") == pytest.approx(loss(expected), abs=1e-5)


def logits(folder: Path, rows: int) -> torch.Tensor:
    """Compute what Hugging Face's class says of ordinary words, in the first rows."""
    model, ids = Subject.of_folders(folder).model, torch.arange(4, 36).view(2, 16)
    extra = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
    with torch.no_grad():
        said: torch.Tensor = model(input_ids=ids, **extra).logits[..., :rows]
    return said


@pytest.mark.parametrize("by_hand", [True, False], ids=["by hand", "--fix"])
@pytest.mark.parametrize(
    ("id", "preset", "rows"),
    [("C15", "roberta-base", 799), ("C16", "pythia-14m", 700), ("C30", "t5-small", 780)],
)
def test_a_trained_model_gets_rows_and_keeps_what_it_learned(
    id: str, preset: str, rows: int, by_hand: bool, healthy: Any, tmp_path: Path
) -> None:
    folder, new = tmp_path / "short", tmp_path / "new"
    shutil.copytree(healthy(preset), folder)
    model = Subject.of_folders(folder).model
    model.resize_token_embeddings(rows)
    model.save_pretrained(folder)
    assert id in {one.id for one in examine(folder).errors}
    if by_hand:
        shutil.copytree(folder, new)
        model.resize_token_embeddings(-(-len(load(str(folder))) // 64) * 64)
        model.save_pretrained(new)
    else:
        mend(new, folder)
    assert not examine(new).errors
    assert torch.allclose(logits(new, rows), logits(folder, rows), atol=1e-5)


def test_a_trained_roberta_is_cut_where_its_positions_end(healthy: Any, tmp_path: Path) -> None:
    folder = tmp_path / "long"
    shutil.copytree(healthy("roberta-base"), folder)
    set_in(folder, "tokenizer_config", model_max_length=512)
    assert "C08" in {one.id for one in examine(folder).errors}
    mended = mend(tmp_path / "mended", folder)
    set_in(folder, "tokenizer_config", model_max_length=64)
    assert examine(folder).problems == mended.problems and not mended.errors
    assert loss(folder) == loss(tmp_path / "mended") == loss(healthy("roberta-base"))


def test_a_trained_model_with_one_type_gets_no_segments(healthy: Any, tmp_path: Path) -> None:
    folder = tmp_path / "types"
    shutil.copytree(healthy("robertalbert"), folder)
    config = Subject.of_folders(folder).config
    config.type_vocab_size = 1
    AlbertForMaskedLM(config).save_pretrained(folder)
    before, path = loss(folder), folder / "tokenizer.json"
    facts = json.loads(path.read_text("utf-8"))
    for piece in facts["post_processor"]["pair"][3:]:
        next(iter(piece.values()))["type_id"] = 1
    path.write_text(json.dumps(facts), "utf-8")
    set_in(folder, "tokenizer_config", model_input_names=["input_ids", "token_type_ids", "attention_mask"])
    assert "C38" in {one.id for one in examine(folder).errors}
    set_in(folder, "tokenizer_config", model_input_names=["input_ids", "attention_mask"])
    assert not examine(folder).errors
    assert loss(folder) == before
