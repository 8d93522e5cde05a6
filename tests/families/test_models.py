"""Building, computing and reading back, the same for every family."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.errors import HornbookError


def test_a_head_that_the_family_lacks_is_refused(small: Any) -> None:
    for head in {"causal", "masked", "seq2seq"} - {small.head}:
        with pytest.raises(
            HornbookError, match=f"{small.family.name} has no {head} head; it serves: .*{small.head}"
        ):
            small.family.build(small.config, head, seed=0)
        with pytest.raises(HornbookError, match="it serves"):
            small.family.open("nowhere", head)


def test_a_full_batch_fits_the_positions(small: Any, make_tokenizer: Any) -> None:
    for pad in (0, 1, 40):
        config = small.family.configure(small.preset, make_tokenizer(50, pad=pad), 16, small.overrides)
        model = small.family.build(config, small.head, seed=0)
        ids = torch.full((2, 16), 7)
        hidden = small.family.hidden(model, {"input_ids": ids, "labels": ids})
        assert hidden.shape == (2, 16, config.hidden_size)
        assert small.family.logits(model, hidden).shape == (2, 16, 50)
        hidden.sum().backward()


def test_a_batch_key_that_the_family_cannot_use_is_refused(small: Any) -> None:
    model, batch = small.family.build(small.config, small.head, seed=0), small.batch()
    with pytest.raises(HornbookError, match="can't use attention_masks of the batch"):
        small.family.hidden(model, {**batch, "attention_masks": batch["attention_mask"]})
    segments = {**batch, "token_type_ids": torch.zeros_like(batch["input_ids"])}
    if small.family.name in {"bert", "albert", "robertalbert", "electra"}:
        small.family.hidden(model, segments)
    else:
        with pytest.raises(HornbookError, match="can't use token_type_ids"):
            small.family.hidden(model, segments)


def test_generation_takes_its_ids_from_the_tokenizer(small: Any) -> None:
    if small.head == "masked":
        pytest.skip("masked models don't generate")
    generation = small.family.build(small.config, small.head, seed=0).generation_config
    assert generation.pad_token_id == 2
    assert generation.bos_token_id == 7
    assert generation.eos_token_id == 0
    assert generation.decoder_start_token_id == (2 if small.head == "seq2seq" else None)


def test_a_folder_that_does_not_hold_the_model_gets_one_line(
    shrink: Callable[..., Any], tmp_path: Path
) -> None:
    bert, albert = shrink("bert-tiny"), shrink("albert-base-v2")
    good, torn = tmp_path / "good", tmp_path / "torn"
    model = bert.family.build(bert.config, "masked", seed=0)
    model.save_pretrained(good)
    shutil.copytree(good, torn)
    (torn / "model.safetensors").write_bytes((good / "model.safetensors").read_bytes()[:-9])
    model.bert.save_pretrained(tmp_path / "headless")
    refused = [
        (bert, "absent", "absent holds no model"),
        (bert, "torn", r"torn.model\.safetensors: can't be read as weights"),
        (bert, "headless", r"headless lacks \d+ weights of BertForMaskedLM, such as cls.predictions"),
        (albert, "good", "its model_type is bert, not albert"),
    ]
    for small, folder, message in refused:
        with pytest.raises(HornbookError, match=message) as caught:
            small.family.open(tmp_path / folder, "masked")
        assert "\n" not in str(caught.value)
