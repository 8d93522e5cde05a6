"""T5 v1.1 is untied, and starts where the published one starts."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSeq2SeqLM, T5ForConditionalGeneration

Shrink = Callable[..., Any]


def shape(model: Any) -> tuple[bool, bool, bool]:
    """Say whether encoder, decoder and head use the shared embedding."""
    shared = model.shared.weight
    users = (model.encoder.embed_tokens.weight, model.decoder.embed_tokens.weight, model.lm_head.weight)
    encoder, decoder, head = (weight is shared for weight in users)
    return encoder, decoder, head


def test_the_head_of_v1_1_and_only_the_head_is_its_own(shrink: Shrink, tmp_path: Path) -> None:
    small = shrink("t5-v1.1-tiny")
    model = small.family.build(small.config, "seq2seq", seed=0)
    assert shape(model) == (True, True, False)
    model.tie_weights()
    assert shape(model) == (True, True, False)
    model.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text())
    assert saved["tie_word_embeddings"] is False
    assert saved["scale_decoder_outputs"] is False
    assert shape(AutoModelForSeq2SeqLM.from_pretrained(tmp_path)) == (True, True, False)

    loaded = small.family.open(tmp_path, "seq2seq")
    assert shape(loaded) == (True, True, False)
    loaded.resize_token_embeddings(110)
    assert shape(loaded) == (True, True, False)
    assert loaded.lm_head.weight.shape == loaded.shared.weight.shape == (110, 32)


def test_the_head_of_the_first_t5_is_the_embedding(shrink: Shrink, tmp_path: Path) -> None:
    small = shrink("t5-small")
    model = small.family.build(small.config, "seq2seq", seed=0)
    assert shape(model) == (True, True, True)
    assert model.config.scale_decoder_outputs is True
    model.save_pretrained(tmp_path)
    assert shape(small.family.open(tmp_path, "seq2seq")) == (True, True, True)


def test_the_recipe_may_tie_v1_1(shrink: Shrink) -> None:
    small = shrink("t5-v1.1-tiny", tie_word_embeddings=True)
    assert shape(small.family.build(small.config, "seq2seq", seed=0)) == (True, True, True)


def test_the_loss_starts_near_that_of_a_guess(shrink: Shrink) -> None:
    """With logits of deviation 1 the expected loss is ln V + 1/2; transformers' own start is far from it."""
    small = shrink("t5-v1.1-tiny", d_model=128, num_heads=4, d_kv=32)
    batch, guess = small.batch(), math.log(100)

    def loss(model: Any) -> float:
        logits = small.family.logits(model, small.family.hidden(model.eval(), batch))
        return cross_entropy(logits.flatten(0, 1), batch["labels"].flatten()).item()

    ours = small.family.build(small.config, "seq2seq", seed=0)
    assert abs(ours.lm_head.weight.std().item() * math.sqrt(128) - 1) < 0.05
    assert abs(ours.shared.weight.std().item() - 1) < 0.05
    assert abs(loss(ours) - guess - 0.5) < 0.5
    torch.manual_seed(0)
    assert loss(T5ForConditionalGeneration(small.config)) > guess + 5
