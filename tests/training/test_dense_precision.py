"""Dense training has no precision of its own: it computes in the format of the model that it is given."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from hornbook.dense_tokens import DenseModel
from hornbook.dense_tokens.insert import choose_places
from hornbook.dense_tokens.select import SelectOptions
from hornbook.dense_tokens.selection import Selection
from hornbook.rng import CounterRNG
from hornbook.training.dense import DenseTraining, train_dense


def make(number: torch.dtype, dropout: float) -> DenseModel:
    torch.manual_seed(0)
    config = GPTNeoXConfig(
        vocab_size=30,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        attention_dropout=dropout,
        bos_token_id=None,
        eos_token_id=None,
    )
    return DenseModel(GPTNeoXForCausalLM(config).to(number), 26)


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("number", [torch.float32, torch.bfloat16])
def test_steps_and_an_exact_resume(number: torch.dtype, dropout: float, tmp_path: Path) -> None:
    words = (np.arange(40)[:, None] + np.arange(12)) % 25
    places = choose_places(CounterRNG(0, 0, np.arange(40)), "kept", np.ones((40, 11)), 1, 3)[:, 0]
    kept = Selection(
        words, places, words[:8], 4.0, {"options": SelectOptions().model_dump(), "tokenizer": "x"}
    )
    options = DenseTraining(steps=4, batch=8, learning_rate=1e-2, emission=1.0, checkpoint_every=2)
    whole, resumed = make(number, dropout), make(number, dropout)
    begun = {name: one.clone() for name, one in whole.model.state_dict().items()}
    figures = train_dense(whole, kept, options, checkpoints=tmp_path)
    assert all(np.isfinite(value) for value in figures["after"].values() if isinstance(value, float))
    newest = sorted(tmp_path.glob("step-*"))[-1]
    newest.rename(tmp_path / "later")
    train_dense(resumed, kept, options, checkpoints=tmp_path)
    for name, one in whole.model.state_dict().items():
        assert one.dtype == number and torch.equal(one, resumed.model.state_dict()[name])
        assert not torch.equal(one, begun[name])
