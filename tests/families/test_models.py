"""Building, computing and reading back, the same for every family."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from hornbook.errors import HornbookError


def test_weights_depend_on_the_seed_alone(small: Any) -> None:
    before = small.config.to_dict()
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = small.family.build(small.config, small.head, seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    again, other = (small.family.build(small.config, small.head, seed) for seed in (3, 4))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.get_input_embeddings().weight, other.get_input_embeddings().weight)
    assert small.config.to_dict() == before
    assert all(parameter.dtype == torch.float32 for parameter in first.parameters())
    assert sum(parameter.numel() for parameter in first.parameters()) == small.family.parameters(small.config)


def test_a_head_that_the_family_lacks_is_refused(small: Any) -> None:
    for head in {"causal", "masked", "seq2seq"} - {small.head}:
        with pytest.raises(
            HornbookError, match=f"{small.family.name} has no {head} head; it serves: {small.head}"
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


def test_loss_and_gradients_at_labelled_places_are_hugging_faces_own(small: Any) -> None:
    model, batch = small.family.build(small.config, small.head, seed=0).eval(), small.batch()
    theirs = model(**batch)
    theirs.loss.backward()
    gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad()

    labels = batch["labels"]
    if small.head == "causal":
        labels = torch.cat([labels[:, 1:], torch.full_like(labels[:, :1], -100)], dim=1)
    hidden = small.family.hidden(model, batch)
    logits = small.family.logits(model, hidden[labels != -100])
    loss = cross_entropy(logits, labels[labels != -100])
    loss.backward()

    torch.testing.assert_close(loss, theirs.loss, atol=1e-5, rtol=0)
    torch.testing.assert_close(logits, theirs.logits[labels != -100], atol=1e-5, rtol=0)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(
            parameter.grad, gradients[name], atol=1e-5, rtol=1e-4, msg=lambda m, n=name: n + m
        )


def test_a_batch_key_that_the_family_cannot_use_is_refused(small: Any) -> None:
    model, batch = small.family.build(small.config, small.head, seed=0), small.batch()
    with pytest.raises(HornbookError, match="can't use attention_masks of the batch"):
        small.family.hidden(model, {**batch, "attention_masks": batch["attention_mask"]})
    segments = {**batch, "token_type_ids": torch.zeros_like(batch["input_ids"])}
    if small.family.name in {"bert", "albert", "robertalbert"}:
        small.family.hidden(model, segments)
    else:
        with pytest.raises(HornbookError, match="can't use token_type_ids"):
            small.family.hidden(model, segments)


def test_a_saved_model_opens_with_the_same_bits(small: Any, tmp_path: Path) -> None:
    model = small.family.build(small.config, small.head, seed=5)
    batch = small.batch()
    for folder in (tmp_path / "first", tmp_path / "second"):
        model.save_pretrained(folder)
        torch.manual_seed(1)
        state = torch.get_rng_state()
        loaded = small.family.open(folder, small.head)
        assert torch.equal(torch.get_rng_state(), state)
        ours, theirs = model.state_dict(), loaded.state_dict()
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
        assert sum(p.numel() for p in loaded.parameters()) == small.family.parameters(small.config)
        assert torch.equal(small.family.hidden(model.eval(), batch), small.family.hidden(loaded, batch))
        model = loaded


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
        (bert, "torn", "torn can't be opened as BertForMaskedLM"),
        (bert, "headless", r"headless lacks \d+ weights of BertForMaskedLM, such as cls.predictions"),
        (albert, "good", "its model_type is bert, not albert"),
    ]
    for small, folder, message in refused:
        with pytest.raises(HornbookError, match=message) as caught:
            small.family.open(tmp_path / folder, "masked")
        assert "\n" not in str(caught.value)
