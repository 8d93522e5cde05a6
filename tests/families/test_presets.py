"""The presets against what is published."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AlbertConfig, AutoConfig, BertForPreTraining, GPTNeoForCausalLM, RobertaConfig

from hornbook.errors import HornbookError
from hornbook.families import FAMILIES, PRESETS, find
from hornbook.families.values import OWNERS

# What google-research/bert publishes, in its README.
MILLIONS = {"bert-tiny": 4.4, "bert-mini": 11.3, "bert-small": 29.1, "bert-base": 110.1}


def published_tokenizer(make_tokenizer: Any, preset: str) -> Any:
    """Make a tokenizer of the published size, with padding where the architecture has it."""
    pad = {"roberta": 1, "robertalbert": 1}.get(find(preset).name, 0)
    return make_tokenizer(find(preset).presets[preset].vocab_size, pad=pad)


@pytest.mark.parametrize(
    "preset", [name for name, family in PRESETS.items() if family.presets[name].parameters]
)
def test_parameters_are_as_many_as_published(preset: str, make_tokenizer: Any) -> None:
    family, published = find(preset), find(preset).presets[preset]
    config = family.configure(preset, published_tokenizer(make_tokenizer, preset), published.positions, {})
    head = next((head for head, one in family.heads.items() if one is published.counted), None)
    if head is not None:
        count = family.parameters(config, head)
    else:
        assert published.counted is not None
        with torch.device("meta"):
            count = sum(parameter.numel() for parameter in published.counted(config).parameters())
    assert count == published.parameters
    if preset in MILLIONS:
        assert published.counted is BertForPreTraining
        assert round(count / 1e6, 1) == MILLIONS[preset]


@pytest.mark.parametrize("preset", FAMILIES["gpt_neo"].presets)
def test_tinystories_parameters_follow_from_the_sizes(preset: str, make_tokenizer: Any) -> None:
    family, published = find(preset), find(preset).presets[preset]
    config = family.configure(preset, published_tokenizer(make_tokenizer, preset), published.positions, {})
    width, layers = {"1m": (64, 8), "3m": (128, 8), "8m": (256, 8), "28m": (512, 8), "33m": (768, 4)}[
        preset.removeprefix("tinystories-")
    ]
    attention, feed_forward, norms = 4 * width**2 + width, 8 * width**2 + 5 * width, 4 * width
    tables = (50257 + 2048) * width
    assert family.parameters(config) == tables + layers * (attention + feed_forward + norms) + 2 * width


@pytest.mark.parametrize(
    ("preset", "folder"),
    [
        ("bert-base", "bert-base-uncased"),
        ("roberta-base", "roberta-base"),
        ("t5-small", "t5-small"),
        ("tinystories-33m", "tinystories-33m"),
    ],
)
def test_values_are_those_of_the_published_config(
    preset: str, folder: str, data: Path, make_tokenizer: Any
) -> None:
    published = json.loads((data / "tokenizers" / folder / "config.json").read_text())
    family = find(preset)
    config = family.configure(
        preset, published_tokenizer(make_tokenizer, preset), family.presets[preset].positions, {}
    ).to_dict()
    ids = {key for key in published if key.endswith("_token_id")}
    ignored = {"architectures", "transformers_version", "_name_or_path", "torch_dtype"} | ids
    # Keys of old formats that no config class knows any more.
    known = {key: value for key, value in published.items() if key in config and key not in ignored}
    assert {key: config[key] for key in known} == known
    own = set(family.presets[preset].values) - {"tie_word_embeddings"}
    assert own <= known.keys() | {"num_hidden_layers", "num_attention_heads"}


def test_tinystories_33m_counts_as_its_published_config(data: Path, make_tokenizer: Any) -> None:
    published = AutoConfig.from_pretrained(data / "tokenizers" / "tinystories-33m", local_files_only=True)
    with torch.device("meta"):
        theirs = sum(parameter.numel() for parameter in GPTNeoForCausalLM(published).parameters())
    family, preset = find("tinystories-33m"), "tinystories-33m"
    ours = family.configure(preset, published_tokenizer(make_tokenizer, preset), 2048, {})
    assert family.parameters(ours) == theirs


def test_robertalbert_is_albert_with_the_values_of_roberta(make_tokenizer: Any) -> None:
    """The rule as it is published, on Hugging Face's own dictionaries."""
    tokenizer = make_tokenizer(50265, bos=0, pad=1, eos=2)

    def dictionary(preset: str) -> dict[str, Any]:
        return find(preset).configure(preset, tokenizer, 512, {}).to_dict()

    ours, roberta, albert = (dictionary(name) for name in ("robertalbert", "roberta-base", "albert-base-v2"))
    excepted = {"model_type", "architectures", "layer_norm_eps", "_name_or_path"}
    shared = RobertaConfig().to_dict().keys() & AlbertConfig().to_dict().keys() - excepted
    assert {key: ours[key] for key in shared} == {key: roberta[key] for key in shared}
    assert {key: ours[key] for key in albert.keys() - shared} == {
        key: albert[key] for key in albert.keys() - shared
    }
    assert ours["max_position_embeddings"] == 514
    assert ours["type_vocab_size"] == 1
    assert ours["vocab_size"] == 50265
    assert ours["layer_norm_eps"] == 1e-12
    assert ours["hidden_act"] == "gelu"


@pytest.mark.parametrize("preset", PRESETS)
def test_no_value_is_left_to_the_class(preset: str) -> None:
    """A default that transformers changes one day must not change a preset."""
    family = find(preset)
    general = {"tie_word_embeddings", "use_cache", "classifier_dropout", "classifier_dropout_prob"}
    derived = {"attention_types", "num_decoder_layers"}
    fields = set(family.config_class.__dataclass_fields__) - set(
        family.config_class.__mro__[1].__dataclass_fields__
    )
    assert fields - OWNERS.keys() - general - derived <= family.presets[preset].values.keys()


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(HornbookError, match="did you mean 'bert-tiny'"):
        find("bert-tny")
    assert len(PRESETS) == sum(len(family.presets) for family in FAMILIES.values())
