"""Each check catches its specimen, a folder that libraries of today accept, and is silent on the healthy twin.

The twin is the very folder that was made sick; `test_healthy.py` shows that it has no error and no warning.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import T5Config, T5ForConditionalGeneration

from hornbook.contract import Report, examine, mend
from hornbook.contract.subject import Subject

Made = Path | tuple[Path, dict[str, Any]]
Specimen = tuple[str, str, Callable[[Any], Made]]
SPECIMENS: list[Specimen] = []


def specimen(id: str, twin: str) -> Callable[[Callable[[Any], Made]], Callable[[Any], Made]]:
    """Enter the maker of a sick folder for check `id`; `twin` is the preset that it is made of."""

    def enter(make: Callable[[Any], Made]) -> Callable[[Any], Made]:
        SPECIMENS.append((id, twin, make))
        return make

    return enter


def found(report: Report, id: str) -> list[str]:
    return [one.found for one in report.problems if one.id == id]


def tokens(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """Change added tokens of a tokenizer.json by their role's name in it."""

    def change(facts: dict[str, Any]) -> None:
        for token in facts["added_tokens"]:
            token.update(changes.get(token["content"].strip("<>[]|"), {}))

    return change


def edit(path: Path, changes: dict[str, Any]) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def drop(*names: str) -> Callable[[dict[str, Any]], None]:
    return lambda facts: [facts.pop(name, None) for name in names] and None


@specimen("C01", "t5-small")
def discarded_normalizer(sick: Any) -> Made:
    """As AutoTokenizer finds it when the tokenizer was trained with `tokenizers` and saved as a T5Tokenizer."""

    def lower(facts: dict[str, Any]) -> None:
        facts["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]}

    return sick("t5-small", tokenizer=lower, tokenizer_config={"tokenizer_class": "T5Tokenizer"})


@specimen("C01", "tinystories-1m")
def cased_again(sick: Any) -> Made:
    return sick(
        "tinystories-1m",
        tokenizer=lambda facts: facts.update(normalizer={"type": "Lowercase"}),
        tokenizer_config={"tokenizer_class": "GPT2Tokenizer"},
    )


@specimen("C02", "t5-small")
def fixed_unknown(sick: Any) -> Made:
    def another(facts: dict[str, Any]) -> None:
        facts["model"]["unk_id"] = 1
        facts["model"]["byte_fallback"] = False

    return sick("t5-small", tokenizer=another)


@specimen("C02", "t5-small")
def hard_coded_unknown(sick: Any) -> Made:
    """T5's class takes id 2 for unknown; here it is </s>."""

    def reorder(facts: dict[str, Any]) -> None:
        vocabulary = facts["model"]["vocab"]
        first = ["<unk>", "<s>", "</s>", "<pad>"]
        others = [entry for entry in vocabulary if entry[0] not in first and "<0x" not in entry[0]]
        facts["model"] |= {
            "unk_id": 0,
            "byte_fallback": False,
            "vocab": [[name, 0.0] for name in first] + others,
        }
        marks = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        facts["added_tokens"] = [{"id": i, "content": name, **marks} for i, name in enumerate(first)]
        facts["post_processor"] = None

    return sick(
        "t5-small",
        tokenizer=reorder,
        tokenizer_config={"tokenizer_class": "T5Tokenizer"},
        config={"pad_token_id": 3, "eos_token_id": 2, "decoder_start_token_id": 3},
    )


@specimen("C03", "tinystories-1m")
def stale_merges(sick: Any) -> Made:
    folder = sick("tinystories-1m")
    model = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]
    left, right = model["merges"][-1]
    vocabulary = {token: i for token, i in model["vocab"].items() if token != left + right}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in model["merges"])]
    (folder / "merges.txt").write_text("\n".join(lines), "utf-8")
    return folder


@specimen("C04", "tinystories-1m")
def no_alphabet(sick: Any) -> Made:
    folder = sick("tinystories-1m")
    rust = Tokenizer(models.BPE())
    rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<pad>", "<s>", "</s>", "<unk>"]
    rust.train_from_iterator(
        ["what a day"] * 5, trainers.BpeTrainer(special_tokens=special, show_progress=False)
    )
    rust.save(str(folder / "tokenizer.json"))
    return folder


@specimen("C06", "tinystories-1m")
def lost_merge(sick: Any) -> Made:
    return sick("tinystories-1m", tokenizer=lambda facts: facts["model"]["merges"].pop())


@specimen("C07", "roberta-base")
def pad_of_gpt(sick: Any) -> Made:
    return sick(
        "roberta-base", config={"pad_token_id": 9999, "vocab_size": 10000, "max_position_embeddings": 512}
    )


@specimen("C08", "roberta-base")
def one_position_short(sick: Any) -> Made:
    return sick(
        "roberta-base", config={"max_position_embeddings": 512}, tokenizer_config={"model_max_length": 512}
    )


@specimen("C08", "roberta-base")
def no_length_said(sick: Any) -> Made:
    return sick(
        "roberta-base", config={"max_position_embeddings": 512}, tokenizer_config=drop("model_max_length")
    )


@specimen("C09", "roberta-base")
def published_pad(sick: Any) -> Made:
    return sick("roberta-base", config={"pad_token_id": 1, "max_position_embeddings": 66})


@specimen("C09", "albert-base-v2")
def pad_moved(sick: Any) -> Made:
    return sick("albert-base-v2", config={"pad_token_id": 4})


@specimen("C10", "roberta-base")
def pad_is_end(sick: Any) -> Made:
    return sick(
        "roberta-base",
        config={"pad_token_id": 2, "max_position_embeddings": 67},
        tokenizer_config={"pad_token": "</s>"},
    )


@specimen("C11", "pythia-14m")
def pad_ends(sick: Any) -> Made:
    return sick("pythia-14m", tokenizer_config={"pad_token": "<|endoftext|>"}, config={"pad_token_id": 0})


@specimen("C12", "bert-tiny")
def pad_below_zero(sick: Any) -> Made:
    return sick("bert-tiny", config={"pad_token_id": -1})


@specimen("C13", "roberta-base")
def no_pad(sick: Any) -> Made:
    return sick("roberta-base", config={"pad_token_id": None})


@specimen("C14", "roberta-base")
def mask_is_unknown(sick: Any) -> Made:
    return sick("roberta-base", tokenizer_config={"mask_token": "<unk>"})


@specimen("C14", "roberta-base")
def no_mask(sick: Any) -> Made:
    return sick("roberta-base", tokenizer_config=drop("mask_token"))


@specimen("C15", "roberta-base")
def mask_past_the_end(sick: Any) -> Made:
    return sick("roberta-base", config={"vocab_size": 799})


@specimen("C16", "pythia-14m")
def words_past_the_end(sick: Any) -> Made:
    return sick("pythia-14m", config={"vocab_size": 700})


@specimen("C17", "roberta-base")
def default_vocabulary(sick: Any) -> Made:
    return sick("roberta-base", config={"vocab_size": 50265})


@specimen("C19", "roberta-base")
def undeclared_frame(sick: Any) -> Made:
    def ordinary(facts: dict[str, Any]) -> None:
        facts["added_tokens"] = [t for t in facts["added_tokens"] if t["content"] not in ("<s>", "</s>")]

    names = ("bos_token", "eos_token", "cls_token", "sep_token", "extra_special_tokens")
    return sick("roberta-base", tokenizer=ordinary, tokenizer_config=drop(*names))


@specimen("C20", "bert-tiny")
def not_special(sick: Any) -> Made:
    return sick("bert-tiny", tokenizer=tokens(SEP={"special": False}))


@specimen("C21", "roberta-base")
def mask_keeps_its_space(sick: Any) -> Made:
    return sick("roberta-base", tokenizer=tokens(mask={"lstrip": False}))


@specimen("C22", "tinystories-1m")
def tags_in_the_text(sick: Any) -> Made:
    return sick("tinystories-1m"), {"text": "The tag </s> ends a paragraph."}


@specimen("C23", "bert-tiny")
def normalized_mask(sick: Any) -> Made:
    def lower(facts: dict[str, Any]) -> None:
        facts["normalizer"] = {"type": "Lowercase"}
        tokens(MASK={"normalized": True})(facts)

    return sick("bert-tiny", tokenizer=lower)


@specimen("C25", "tinystories-1m")
def prompt_ends(sick: Any) -> Made:
    """What a GPT gets that takes over a tokenizer made for RoBERTa."""
    return sick(
        "tinystories-1m",
        tokenizer_config={"tokenizer_class": "RobertaTokenizer", "cls_token": "<s>", "sep_token": "</s>"},
    )


@specimen("C26", "tinystories-1m")
def no_end(sick: Any) -> Made:
    return sick("tinystories-1m", tokenizer_config=drop("eos_token"))


@specimen("C27", "pythia-14m")
def default_end(sick: Any) -> Made:
    return sick("pythia-14m", config={"eos_token_id": 2})


@specimen("C27", "tinystories-1m")
def end_of_another(sick: Any) -> Made:
    return sick("tinystories-1m", generation_config={"eos_token_id": 50256})


@specimen("C28", "bert-tiny")
def cut_at_the_width(sick: Any) -> Made:
    return sick(
        "bert-tiny", config={"max_position_embeddings": 512}, tokenizer_config={"model_max_length": 32}
    )


@specimen("C28", "bert-tiny")
def cut_too_late(sick: Any) -> Made:
    return sick("bert-tiny", tokenizer_config={"model_max_length": 1024})


@specimen("C29", "pythia-14m")
def untrained_positions(sick: Any) -> Made:
    return sick("pythia-14m", tokenizer_config={"model_max_length": 1024})


@specimen("C30", "t5-small")
def sentinel_at_the_end(sick: Any) -> Made:
    return sick("t5-small", config={"vocab_size": 780})


@specimen("C30", "t5-small")
def sentinels_of_the_class(sick: Any) -> Made:
    """As tutorials make one: a Unigram without sentinels, a model of its size, and T5's class, which appends 100."""

    def plain(facts: dict[str, Any]) -> None:
        facts["added_tokens"] = [
            t for t in facts["added_tokens"] if not t["content"].startswith("<extra_id_")
        ]
        vocabulary = facts["model"]["vocab"]
        facts["model"]["vocab"] = [entry for entry in vocabulary if not entry[0].startswith("<extra_id_")]

    folder = sick("t5-small", tokenizer=plain)
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "T5Tokenizer"}', "utf-8")
    edit(
        folder / "config.json",
        {"vocab_size": Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()},
    )
    return folder


@specimen("C31", "t5-small")
def ascending(sick: Any) -> Made:
    def turn(facts: dict[str, Any]) -> None:
        ours = [t for t in facts["added_tokens"] if t["content"].startswith("<extra_id_")]
        for token, number in zip(
            sorted(ours, key=lambda t: int(t["content"][10:-1])), sorted(t["id"] for t in ours), strict=True
        ):
            token["id"] = number
        facts["added_tokens"].sort(key=lambda token: token["id"])

    return sick("t5-small", tokenizer=turn)


@specimen("C32", "t5-small")
def too_many_spans(sick: Any) -> Made:
    return sick("t5-small", config={"n_positions": 2048}, tokenizer_config={"model_max_length": 2048})


@specimen("C33", "t5-small")
def learned_sentinel(sick: Any) -> Made:
    def learn(facts: dict[str, Any]) -> None:
        facts["added_tokens"] = [t for t in facts["added_tokens"] if t["content"] != "<extra_id_0>"]
        facts["model"]["vocab"][561] = ["<extra_id_0>", -5.0]

    return sick("t5-small", tokenizer=learn, tokenizer_config=drop("extra_special_tokens"))


@specimen("C34", "t5-small")
def no_start(sick: Any) -> Made:
    return sick("t5-small", config=drop("decoder_start_token_id"))


@specimen("C35", "t5-small")
def forced_tie(sick: Any) -> Made:
    folder = sick("t5-small")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config = {
        name: value
        for name, value in config.items()
        if name not in ("tie_word_embeddings", "scale_decoder_outputs")
    }
    T5ForConditionalGeneration(T5Config(**config, tie_word_embeddings=False)).save_pretrained(folder)
    return folder


@specimen("C37", "bert-tiny")
def loud_head(sick: Any) -> Made:
    folder = sick("bert-tiny", weights=True)
    weights = load_file(folder / "model.safetensors")
    weights["bert.embeddings.word_embeddings.weight"] *= 100
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


@specimen("C38", "robertalbert")
def segments_with_one_type(sick: Any) -> Made:
    def second(facts: dict[str, Any]) -> None:
        for piece in facts["post_processor"]["pair"][3:]:
            next(iter(piece.values()))["type_id"] = 1

    names = ["input_ids", "token_type_ids", "attention_mask"]
    config = {"type_vocab_size": 1}
    return sick(
        "robertalbert", config=config, tokenizer=second, tokenizer_config={"model_input_names": names}
    )


@specimen("C39", "bert-tiny")
def pairs_without_segments(sick: Any) -> Made:
    return sick("bert-tiny", config={"architectures": ["BertForPreTraining"]})


@specimen("C40", "roberta-base")
def idle_type(sick: Any) -> Made:
    return sick("roberta-base", config={"type_vocab_size": 2})


@specimen("C41", "tinystories-1m")
def types_for_gpt(sick: Any) -> Made:
    return sick(
        "tinystories-1m",
        tokenizer_config={"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]},
    )


@specimen("C42", "t5-small")
def types_for_t5(sick: Any) -> Made:
    return sick(
        "t5-small", tokenizer_config={"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}
    )


@specimen("C44", "roberta-base")
def causal_without_a_mask(sick: Any) -> Made:
    return sick("roberta-base"), {"objective": "causal"}


@specimen("C45", "bert-tiny")
def masked_decoder(sick: Any) -> Made:
    return sick("bert-tiny", config={"is_decoder": True})


@specimen("C47", "bert-tiny")
def left_padding(sick: Any) -> Made:
    return sick("bert-tiny", tokenizer_config={"padding_side": "left"})


@specimen("C50", "tinystories-1m")
def untied_head(sick: Any) -> Made:
    folder = sick("tinystories-1m", weights=True)
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"] = weights["transformer.wte.weight"] + 0.01
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


@specimen("C50", "pythia-14m")
def lost_head(sick: Any) -> Made:
    folder = sick("pythia-14m", weights=True)
    weights = load_file(folder / "model.safetensors")
    weights = {
        name: weight for name, weight in weights.items() if not name.startswith(("embed_out", "lm_head"))
    }
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


@specimen("C56", "tinystories-1m")
def wrong_attention_types(sick: Any) -> Made:
    return sick("tinystories-1m", config={"attention_types": [[["global", "local"], 3]]})


@specimen("C57", "albert-base-v2")
def idle_groups(sick: Any) -> Made:
    return sick("albert-base-v2", config={"num_hidden_groups": 4})


@specimen("C58", "pythia-14m")
def space_or_not(sick: Any) -> Made:
    return sick("pythia-14m", tokenizer_config={"add_prefix_space": True})


@specimen("C60", "robertalbert")
def no_class(sick: Any) -> Made:
    return sick("robertalbert", tokenizer_config=drop("tokenizer_class"))


@specimen("C61", "roberta-base")
def rounded_up(sick: Any) -> Made:
    return sick("roberta-base", config={"vocab_size": 832})


@specimen("C62", "bert-tiny")
def unknown_words(sick: Any) -> Made:
    return sick("bert-tiny"), {"text": "The " + "a" * 101 + " word Ω☃ 漢字."}


@specimen("C63", "t5-small")
def bytes_switched_off(sick: Any) -> Made:
    return sick("t5-small", tokenizer=lambda facts: facts["model"].update(byte_fallback=False))


@specimen("C64", "roberta-base")
def old_ids(sick: Any) -> Made:
    token = {
        "content": "<mask>",
        "lstrip": True,
        "normalized": False,
        "rstrip": False,
        "single_word": False,
        "special": True,
    }
    return sick("roberta-base", tokenizer_config={"added_tokens_decoder": {"5": token}})


@specimen("H01", "bert-tiny")
def no_type(sick: Any) -> Made:
    folder = sick("bert-tiny", config=drop("model_type"))
    return folder.rename(folder.with_name("my-bert"))


@specimen("H02", "bert-tiny")
def pickled(sick: Any) -> Made:
    folder = sick("bert-tiny")
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR.")
    return folder


@specimen("H03", "bert-tiny")
def odd_heads(sick: Any) -> Made:
    return sick("bert-tiny", config={"num_attention_heads": 5})


@specimen("H04", "bert-tiny")
def no_frame(sick: Any) -> Made:
    return sick("bert-tiny", tokenizer=lambda facts: facts.update(post_processor=None))


@specimen("H08", "bert-tiny")
def no_cls(sick: Any) -> Made:
    return sick("bert-tiny", tokenizer_config=drop("cls_token"))


@specimen("H07", "bert-tiny")
def half_the_weights(sick: Any) -> Made:
    folder = sick("bert-tiny", weights=True)
    weights = load_file(folder / "model.safetensors")
    kept = {name: weight for name, weight in weights.items() if ".layer.1." not in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    return folder


@specimen("H11", "bert-tiny")
def one_nan(sick: Any) -> Made:
    folder = sick("bert-tiny", weights=True)
    weights = load_file(folder / "model.safetensors")
    weights["bert.encoder.layer.1.output.dense.weight"][0, 0] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


@specimen("H09", "pythia-14m")
def too_large(sick: Any) -> Made:
    return sick("pythia-14m", config={"vocab_size": 10_000_000})


@specimen("H10", "roberta-base")
def one_separator(sick: Any) -> Made:
    """As Hornbook itself wrote it once: BERT's form with RoBERTa's tokens."""

    def bert(facts: dict[str, Any]) -> None:
        pair = facts["post_processor"]["pair"]
        del pair[3]

    return sick("roberta-base", tokenizer=bert)


@specimen("H10", "bert-tiny")
def two_separators(sick: Any) -> Made:
    def roberta(facts: dict[str, Any]) -> None:
        pair = facts["post_processor"]["pair"]
        pair.insert(3, pair[2])

    return sick("bert-tiny", tokenizer=roberta)


@specimen("P01", "pythia-14m")
def no_decoder(sick: Any) -> Made:
    return sick("pythia-14m", tokenizer=lambda facts: facts.update(decoder=None))


FIXABLE = {
    "C01",
    "C02",
    "C03",
    "C08",
    "C09",
    "C12",
    "C13",
    "C15",
    "C16",
    "C17",
    "C19",
    "C20",
    "C21",
    "C23",
    "C25",
    "C27",
    "C28",
    "C29",
    "C30",
    "C34",
    "C35",
    "C38",
    "C39",
    "C41",
    "C42",
    "C44",
    "C45",
    "C47",
    "C50",
    "C56",
    "C57",
    "C60",
    "C63",
    "C64",
    "H01",
    "H10",
}
HALF = {"fixed_unknown", "lost_head"}
"""An unknown id that tokenizer.json itself has wrong is not AutoTokenizer's doing; a head that is nowhere can't be
brought back."""


@pytest.mark.parametrize(
    ("id", "twin", "make"), SPECIMENS, ids=[f"{s[0]}-{s[2].__name__}" for s in SPECIMENS]
)
def test_a_specimen_is_caught_and_its_twin_is_not(
    id: str, twin: str, make: Any, sick: Any, healthy: Any
) -> None:
    made = make(sick)
    folder, options = made if isinstance(made, tuple) else (made, {})
    report = examine(folder, **options)
    assert found(report, id), [f"{one.id} {one.found}" for one in report.problems]
    told = next(one for one in report.problems if one.id == id)
    assert "\n" not in told.found and told.why and told.fix
    if not (id == "C40" and twin == "bert-tiny"):
        assert not found(examine(healthy(twin)), id)


def lost(folder: Path, mended: Path) -> set[str]:
    """What a folder's tokenizer had, by its file or as it was opened, and the mended one has no more."""
    before, after = Subject.of_folders(folder), Subject.of_folders(mended)
    if before.rust is None:
        return set()
    named = {str(token) for token in before.tokenizer.all_special_tokens}
    had = before.rust.get_vocab().keys() | before.tokenizer.get_vocab().keys() | named
    roles = {f"role {role}" for role in before.tokenizer.special_tokens_map}
    return (
        (had | roles)
        - after.tokenizer.get_vocab().keys()
        - {f"role {role}" for role in after.tokenizer.special_tokens_map}
    )


@pytest.mark.parametrize(
    ("id", "twin", "make"), SPECIMENS, ids=[f"{s[0]}-{s[2].__name__}" for s in SPECIMENS]
)
def test_what_is_called_fixable_is_mended(id: str, twin: str, make: Any, sick: Any, tmp_path: Path) -> None:
    made = make(sick)
    folder, options = made if isinstance(made, tuple) else (made, {})
    fixable = {one.id for one in examine(folder, **options).problems if one.fixable}
    assert (id in FIXABLE) == (id in fixable) or make.__name__ in HALF
    if not fixable:
        return
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    report = mend(tmp_path / "mended", folder, **options)
    assert not fixable & {one.id for one in report.problems}
    if id in fixable:
        assert not report.errors, [f"{one.id} {one.found}" for one in report.errors]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert lost(folder, tmp_path / "mended") == set()
