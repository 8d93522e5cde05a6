"""What a config takes from the tokenizer, the length and the recipe."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models
from transformers import AutoConfig, PreTrainedTokenizerFast

from hornbook.errors import HornbookError
from hornbook.families import find

ORDERS = [
    {"pad": 0, "bos": 1, "eos": 2},
    {"bos": 0, "pad": 1, "eos": 2, "mask": 49},
    {"eos": 3, "pad": 48},
    {"pad": 11, "cls": 4, "sep": 30, "mask": 2, "unk": 0},
]
SIZES = [
    "bert-tiny",
    "roberta-base",
    "albert-base-v2",
    "robertalbert",
    "tinystories-1m",
    "pythia-14m",
    "t5-v1.1-tiny",
]


@pytest.mark.parametrize("roles", ORDERS)
@pytest.mark.parametrize("preset", SIZES)
def test_every_id_is_the_tokenizers(
    preset: str, roles: dict[str, int], make_tokenizer: Any, tmp_path: Path
) -> None:
    tokenizer = make_tokenizer(50, **roles)
    config = find(preset).configure(preset, tokenizer, 16, {})
    config.save_pretrained(tmp_path)
    for read in (config, AutoConfig.from_pretrained(tmp_path)):
        ids = {key: value for key, value in read.to_dict().items() if key.endswith("_token_id")}
        start = {"decoder_start_token_id": roles["pad"]} if preset.startswith("t5") else {}
        wanted = {f"{role}_token_id": roles.get(role) for role in ("pad", "bos", "eos")} | start
        assert ids == wanted
        assert read.vocab_size == 50


def test_a_causal_family_needs_no_special_token(make_tokenizer: Any) -> None:
    for preset in ("tinystories-1m", "pythia-14m"):
        config = find(preset).configure(preset, make_tokenizer(50), 16, {})
        assert (config.pad_token_id, config.bos_token_id, config.eos_token_id) == (None, None, None)


def test_a_vocabulary_with_holes_fits() -> None:
    words = models.WordLevel({"<pad>": 0, "a": 3, "b": 70}, unk_token="a")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(words), pad_token="<pad>")
    tokenizer.add_tokens(["c"])
    highest = max(tokenizer.get_vocab().values())
    assert find("bert-tiny").configure("bert-tiny", tokenizer, 16, {}).vocab_size == highest + 1 > 70


def test_positions_follow_from_the_length(make_tokenizer: Any) -> None:
    tokenizer = make_tokenizer(50, pad=6)

    def configured(preset: str) -> Any:
        return find(preset).configure(preset, tokenizer, 40, {})

    for preset in ("bert-tiny", "albert-base-v2", "tinystories-1m", "pythia-14m"):
        assert configured(preset).max_position_embeddings == 40
    for preset in ("roberta-base", "robertalbert"):
        assert configured(preset).max_position_embeddings == 47
    assert configured("t5-v1.1-tiny").n_positions == 40


def test_a_config_survives_its_file(small: Any, tmp_path: Path) -> None:
    json.dumps(small.config.to_dict())
    small.config.save_pretrained(tmp_path)
    read = AutoConfig.from_pretrained(tmp_path)
    read.name_or_path = ""
    assert read.to_dict() == small.config.to_dict()
    for key, value in small.overrides.items():
        assert getattr(small.config, key) == value


@pytest.mark.parametrize("layers", [1, 2, 5, 8])
def test_gpt_neo_alternates_over_any_number_of_layers(layers: int, make_tokenizer: Any) -> None:
    for key in ("num_layers", "num_hidden_layers"):
        config = find("tinystories-1m").configure("tinystories-1m", make_tokenizer(50), 16, {key: layers})
        assert config.attention_layers == [("global", "local")[number % 2] for number in range(layers)]
    config = find("tinystories-1m").configure(
        "tinystories-1m", make_tokenizer(50), 16, {"num_layers": 2, "attention_types": [[["local"], 2]]}
    )
    assert config.attention_layers == ["local", "local"]


@pytest.mark.parametrize(
    ("preset", "overrides", "message"),
    [
        ("bert-tiny", {"hiden_size": 64}, "bert has no value 'hiden_size'; did you mean 'hidden_size'"),
        ("t5-small", {"d_mode": 64}, "did you mean 'd_model'"),
        ("bert-tiny", {"dtype": "bfloat16"}, "bert has no value 'dtype'"),
        ("bert-tiny", {"vocab_size": 10}, "vocab_size follows from the tokenizer"),
        ("pythia-14m", {"eos_token_id": 0}, "eos_token_id follows from the tokenizer"),
        ("roberta-base", {"max_position_embeddings": 514}, "max_position_embeddings follows from the length"),
        ("t5-small", {"n_positions": 99}, "n_positions follows from the length"),
        ("bert-tiny", {"is_decoder": True}, "is_decoder follows from the head"),
        (
            "bert-tiny",
            {"hidden_size": 100, "num_attention_heads": 3},
            r"bert-tiny with .* can't be built.*100.*3",
        ),
        ("albert-base-v2", {"hidden_size": 100, "num_attention_heads": 3}, "can't be built.*100.*3"),
        ("roberta-base", {"hidden_size": 100, "num_attention_heads": 3}, "can't be built.*100.*3"),
        ("tinystories-1m", {"hidden_size": 100, "num_heads": 3}, "can't be built.*100.*3"),
        ("pythia-14m", {"hidden_size": 100, "num_attention_heads": 3}, "can't be built.*divisible"),
        ("pythia-14m", {"hidden_size": 8, "num_attention_heads": 4}, "nothing to rotate"),
        ("tinystories-1m", {"num_layers": 3, "attention_types": [[["global"], 2]]}, "can't be built"),
        ("albert-base-v2", {"num_hidden_groups": 13}, "num_hidden_groups is 13 for 12 layers"),
        ("bert-tiny", {"num_hidden_layers": 0}, "num_hidden_layers is 0"),
        ("t5-small", {"num_layers": 0}, "num_layers is 0"),
        ("bert-tiny", {"num_attention_heads": 0}, "num_attention_heads is 0"),
        ("bert-tiny", {"hidden_size": "large"}, "expected int, got str"),
        ("bert-tiny", {"hidden_act": "gleu"}, "gleu"),
        ("bert-tiny", {"hidden_dropout_prob": 1.5}, "1.5"),
    ],
)
def test_what_does_not_fit_gets_one_line(
    preset: str, overrides: dict[str, Any], message: str, make_tokenizer: Any
) -> None:
    with pytest.raises(HornbookError, match=message) as caught:
        find(preset).configure(preset, make_tokenizer(50, pad=0), 16, overrides)
    assert "\n" not in str(caught.value)


def test_other_misfits_get_one_line(make_tokenizer: Any) -> None:
    tokenizer = make_tokenizer(50, pad=0)
    with pytest.raises(HornbookError, match="length is 0"):
        find("bert-tiny").configure("bert-tiny", tokenizer, 0, {})
    with pytest.raises(HornbookError, match="bert has no preset 'bert-tinny'; did you mean 'bert-tiny'"):
        find("bert-tiny").configure("bert-tinny", tokenizer, 16, {})
    for preset in ("roberta-base", "robertalbert", "t5-small"):
        with pytest.raises(HornbookError, match="pad_token_id is None"):
            find(preset).configure(preset, make_tokenizer(50, eos=0), 16, {})


def test_padding_that_is_another_token_too_is_refused_where_its_row_is_frozen(
    make_tokenizer: Callable[..., PreTrainedTokenizerFast],
) -> None:
    tokenizer = make_tokenizer(50, eos=4)
    tokenizer.pad_token = tokenizer.eos_token
    for preset in ("bert-tiny", "roberta-base", "albert-base-v2", "robertalbert"):
        with pytest.raises(HornbookError, match=r"pad and eos are one token \(id 4\)"):
            find(preset).configure(preset, tokenizer, 16, {})
    assert find("tinystories-1m").configure("tinystories-1m", tokenizer, 16, {}).pad_token_id == 4
