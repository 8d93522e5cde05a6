"""No number of a config.json is beyond what any model has; published ones pass."""

from pathlib import Path
from typing import Any

import pytest

from hornbook.errors import HornbookError
from hornbook.families import PRESETS
from hornbook.gate.sizes import check_sizes


@pytest.mark.parametrize("preset", PRESETS)
def test_published_values_pass(preset: str) -> None:
    check_sizes(PRESETS[preset].presets[preset].values, Path("config.json"))


@pytest.mark.parametrize(
    "config",
    [
        {"num_hidden_layers": 513},
        {"attention_types": [[["global"], 10**9]]},
        {"text_config": {"n_layer": 10**9}},
        {"num_hidden_groups": 10**6},
        {"num_labels": 10**9},
        {"vocab_size": 10**9},
        {"max_position_embeddings": -(10**9)},
        {"hidden_size": float("nan")},
        {"hidden_size": float("inf")},
    ],
)
def test_numbers_of_no_model(config: dict[str, Any]) -> None:
    with pytest.raises(HornbookError, match=r"config\.json: its \w+ is .* at most [\d,]+ is opened"):
        check_sizes(config, Path("config.json"))


def test_large_but_real_ones_pass() -> None:
    check_sizes(
        {
            "num_hidden_layers": 126,
            "vocab_size": 1_024_000,
            "vocab_size_per_layer_input": 262_144,
            "max_position_embeddings": 10_485_760,
            "rope_theta": 10**9,
            "eos_token_id": [128_001, 10**9],
            "model_max_length": 1e30,
        },
        Path("config.json"),
    )


def test_nested_too_deeply() -> None:
    config: dict[str, Any] = {}
    for _ in range(200):
        config = {"a": [config]}
    with pytest.raises(HornbookError, match="stand in each other"):
        check_sizes(config, Path("config.json"))


@pytest.mark.parametrize("length", ["x", -5, 0, None, [1], float("nan")])
def test_a_length_that_is_none(length: Any) -> None:
    with pytest.raises(HornbookError, match="its model_max_length is"):
        check_sizes({"model_max_length": length}, Path("tokenizer_config.json"))
