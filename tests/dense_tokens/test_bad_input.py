"""Each mistake is told in one line that names it, the values and the fix."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertLMHeadModel,
    CohereConfig,
    CohereForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from hornbook.dense_tokens import DenseModel, Gradient, add_dense_token
from hornbook.dense_tokens.delete import delete_from
from hornbook.dense_tokens.emit import emitted_places
from hornbook.dense_tokens.folder import open_dense, save_dense, wrap_folder
from hornbook.dense_tokens.generate import Writing, write
from hornbook.dense_tokens.selection import Selection
from hornbook.errors import HornbookError
from hornbook.training.dense import DenseTraining

DENSE = 29


def refused(*words: str) -> object:
    """Expect one line with all of the words in it."""
    pattern = "^" + "".join(f"(?=.*{word})" for word in words) + "[^\n]*$"
    return pytest.raises(HornbookError, match=pattern)


def encoder(kind: type[PreTrainedModel]) -> PreTrainedModel:
    if kind is T5ForConditionalGeneration:
        return kind(T5Config(vocab_size=30, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2))
    return kind(
        BertConfig(
            vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
        )
    )


@pytest.mark.parametrize("kind", [BertForMaskedLM, BertLMHeadModel, T5ForConditionalGeneration])
def test_an_encoder(kind: type[PreTrainedModel], tokenizer: PreTrainedTokenizerFast) -> None:
    with refused(kind.__name__, "no causal model", "give one"):
        DenseModel(encoder(kind), DENSE)
    with refused(kind.__name__, "no causal model", "give one"):
        add_dense_token(encoder(kind), tokenizer)


@pytest.mark.parametrize(
    ("installed", "told"),
    [("5.99.0", "5.99.0 is newer than what this Hornbook was tested with"), ("5.20.0", "give another model")],
)
def test_a_cache_with_a_new_name(
    installed: str, told: str, model: Callable[..., PreTrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a release that nobody has tested, it is the release that is named, and not the user's model."""
    monkeypatch.setattr("hornbook.dense_tokens.fitness.cache_name", lambda _: None)
    monkeypatch.setattr("hornbook.internals.version", lambda _: installed)
    with refused("takes no cache", told):
        DenseModel(model("neo"), DENSE)


def test_a_model_without_input_embeddings(
    model: Callable[..., PreTrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = model("gpt_neox")
    monkeypatch.setattr(type(plain), "get_input_embeddings", lambda self: None)
    with refused("GPTNeoXForCausalLM", "no input embeddings", "give another"):
        DenseModel(plain, DENSE)


@pytest.mark.parametrize("scaled", ["embeddings", "logits"])
def test_a_model_that_scales_behind_its_layers(scaled: str) -> None:
    shape = {"vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    shape |= {"num_key_value_heads": 1, "intermediate_size": 8}
    with refused(f"scales its {scaled}", "give another model"):
        if scaled == "embeddings":
            DenseModel(Gemma3ForCausalLM(Gemma3TextConfig(head_dim=8, **shape)), DENSE)
        else:
            DenseModel(CohereForCausalLM(CohereConfig(**shape)), DENSE)


def test_an_id_without_a_row(model: Callable[..., PreTrainedModel]) -> None:
    with refused("30", "add_dense_token"):
        DenseModel(model("gpt_neox"), 30)


@pytest.mark.parametrize("kind", ["gpt_neox", "gpt_neo"])
def test_more_than_positions(kind: str, model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(model(kind), DENSE)
    ids = torch.zeros(1, 50, dtype=torch.long)
    with refused("50 words and 0 dense", "has 48", "fewer"):
        dense(ids)
    ids[0, 20:] = DENSE
    if kind == "gpt_neo":  # whose masks go by columns
        with refused("20 words and 30 dense tokens take 50", "has 48"):
            dense(ids)
    else:
        assert dense(ids).hidden.isfinite().all()


def test_vectors_that_are_no_numbers(model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(model("gpt2"), DENSE)
    vectors = torch.zeros(2, 6, 16)
    vectors[1, 4, 3] = float("nan")
    with refused("1 vectors", "row 1, place 4", "learning rate"):
        dense(torch.zeros(2, 6, dtype=torch.long), vectors=vectors)


def test_weights_that_are_no_numbers(model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(model("gpt2").eval(), DENSE)
    with torch.no_grad():
        dense.model.base_model.ln_f.weight.fill_(float("nan"))
    with refused("not finite", "weights"):
        write(dense, [[1, 2]], None, [], Writing(tokens=3))
    words = np.ones((2, 6), np.int64)
    with refused("not finite"):
        emitted_places(dense, words, 0)
    kept = Selection(words, np.full((2, 1), 2), words, 4.0, {})
    with refused("no finite likelihood", "weights"):
        delete_from(dense, kept, 1)


def test_trainings_that_would_train_nothing() -> None:
    with refused("plain arm", "emission", "dense or pause"):
        DenseTraining(steps=1, arm="plain", emission=1.0)
    for options in ({"arm": "pause"}, {"rounds": 0}):
        with refused("producer_only", "at least one round"):
            DenseTraining(steps=1, gradient=Gradient(producer_only=True), **options)
    for gradient in (Gradient(producer_only=True, crossings=0), Gradient(producer_only=True, weight=0)):
        with refused("producer_only", "a weight above 0"):
            DenseTraining(steps=1, gradient=gradient)


def test_gradient_checkpointing_needs_rounds(model: Callable[..., PreTrainedModel]) -> None:
    plain = model("llama", attention_dropout=0.0)
    dense = DenseModel(plain, DENSE)
    ids = torch.tensor([[1, DENSE, 2, DENSE, 3]])
    exact = dense(ids).hidden
    plain.gradient_checkpointing_enable()
    plain.train()
    with refused("checkpointing", "cache", "rounds"):
        dense(ids)
    with refused("checkpointing"):
        dense(ids, gradient=Gradient(crossings=1))
    torch.testing.assert_close(dense(ids, rounds=2).hidden, exact, atol=1e-5, rtol=1e-5)
    plain.eval()  # classes recompute in training alone
    torch.testing.assert_close(dense(ids).hidden, exact, atol=1e-5, rtol=1e-5)


def test_folders(
    model: Callable[..., PreTrainedModel], tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    plain = model("gpt_neox")
    plain.save_pretrained(tmp_path / "plain")
    tokenizer.save_pretrained(tmp_path / "plain")
    with refused("plain", "no dense.json", "dense add"):
        open_dense(tmp_path / "plain")
    with refused("nowhere", "there is no model folder"):
        wrap_folder(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with refused("empty", "config.json"):
        wrap_folder(tmp_path / "empty")
    dense, own = wrap_folder(tmp_path / "plain")
    save_dense(dense, own, tmp_path / "dense")
    (tmp_path / "dense" / "dense.json").write_text(json.dumps({"token": "<think>"}))
    with refused("<think>", "tokenizer doesn't have"):
        open_dense(tmp_path / "dense")
    (tmp_path / "dense" / "dense.json").write_text("{")
    with refused("dense.json", "can't be read"):
        open_dense(tmp_path / "dense")
    masked = encoder(BertForMaskedLM)
    masked.save_pretrained(tmp_path / "bert")
    tokenizer.save_pretrained(tmp_path / "bert")
    with refused("BertForMaskedLM", "no causal model"):
        wrap_folder(tmp_path / "bert")
