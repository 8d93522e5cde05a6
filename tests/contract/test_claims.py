"""What checks say goes wrong does so, in Hugging Face's own classes."""

from typing import Any

import pytest
import torch
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    GPTNeoConfig,
    GPTNeoForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    RobertaConfig,
    RobertaForMaskedLM,
    T5Config,
    T5ForConditionalGeneration,
)

WIDTH = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
SMALL = {**WIDTH, "vocab_size": 40, "max_position_embeddings": 32}
IDS = torch.arange(4, 20)[None]


def neo(**changes: Any) -> GPTNeoForCausalLM:
    sizes = {
        "hidden_size": 16,
        "num_layers": 1,
        "num_heads": 2,
        "vocab_size": 40,
        "max_position_embeddings": 32,
    }
    return GPTNeoForCausalLM(GPTNeoConfig(**sizes, attention_types=[[["global"], 1]], **changes)).eval()


def logits(model: Any, **batch: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(**batch).logits


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    ("config", "model"),
    [
        (BertConfig, BertForMaskedLM),
        (RobertaConfig, RobertaForMaskedLM),
        (AlbertConfig, AlbertForMaskedLM),
    ],
)
def test_c10_only_a_tied_head_moves_the_row_of_padding(config: Any, model: Any, tied: bool) -> None:
    torch.manual_seed(0)
    shared = model(config(**SMALL, embedding_size=16, pad_token_id=2, tie_word_embeddings=tied))
    row = shared.get_input_embeddings().weight
    assert not row[2].any()
    optimizer = torch.optim.AdamW(shared.parameters(), 1e-3)
    text = IDS.clone()
    text[0, 8] = 2  # it ends a text, too, and is seen
    for _ in range(4):
        optimizer.zero_grad()
        shared(input_ids=text, attention_mask=torch.ones_like(text), labels=text).loss.backward()
        optimizer.step()
    assert bool(row[2].any()) == tied
    # Where it is read, it gets nothing: of the last hidden state alone, its gradient is zero.
    optimizer.zero_grad()
    shared.base_model(input_ids=text).last_hidden_state.pow(3).sum().backward()
    assert not row.grad[2].any() and row.grad[4].any()


def test_c07_pad_beyond_the_positions() -> None:
    with pytest.raises(AssertionError, match="Padding_idx must be within num_embeddings"):
        RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=35))


def test_c08_positions_are_counted_from_pad() -> None:
    model = RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=0)).eval()
    logits(model, input_ids=torch.full((1, 31), 5))
    with pytest.raises((IndexError, RuntimeError)):
        logits(model, input_ids=torch.full((1, 32), 5))


def test_c09_another_token_begins_at_zero() -> None:
    model = RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=1))
    weight = model.get_input_embeddings().weight
    assert not weight[1].any() and weight[0].any()


def test_c12_a_negative_pad_counts_from_the_end() -> None:
    weight = torch.nn.Embedding(40, 4, padding_idx=-1).weight
    assert not weight[39].any() and weight[:39].any(dim=1).all()


def test_c13_without_a_pad_the_first_batch_fails() -> None:
    with pytest.raises(TypeError):
        RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=None))(input_ids=IDS)


def test_c15_an_id_without_a_row_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        neo()(input_ids=IDS + 30)


def test_c29_rotary_and_relative_positions_have_no_end() -> None:
    long = torch.full((1, 200), 5)
    assert logits(GPTNeoXForCausalLM(GPTNeoXConfig(**SMALL)), input_ids=long).shape == (1, 200, 40)


@pytest.mark.parametrize("start", [None, 0])
def test_c34_the_decoder_needs_a_first_token(start: int | None) -> None:
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2, "vocab_size": 40}
    model = T5ForConditionalGeneration(T5Config(**sizes, decoder_start_token_id=start))
    if start is None:
        with pytest.raises((AttributeError, ValueError)):
            model(input_ids=IDS, labels=IDS)
    else:
        assert model(input_ids=IDS, labels=IDS).loss > 0


def test_c41_gpt_neo_adds_types_as_words() -> None:
    model, types = neo(), torch.zeros_like(IDS)
    assert not torch.allclose(
        logits(model, input_ids=IDS), logits(model, input_ids=IDS, token_type_ids=types)
    )


def test_c46_the_model_shifts_the_labels() -> None:
    model = neo()
    own = torch.nn.functional.cross_entropy(logits(model, input_ids=IDS)[0, :-1], IDS[0, 1:])
    assert model(input_ids=IDS, labels=IDS).loss.item() == pytest.approx(own.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("model", "moved"),
    [
        (BertForMaskedLM(BertConfig(**SMALL, pad_token_id=0)), True),
        (RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=0)), False),
    ],
    ids=["bert", "roberta"],
)
def test_c47_bert_counts_padding_on_the_left(model: Any, moved: bool) -> None:
    model.eval()
    padded = torch.nn.functional.pad(IDS, (5, 0))
    before = logits(model, input_ids=IDS)
    after = logits(model, input_ids=padded, attention_mask=(padded != 0).long())[:, 5:]
    assert torch.allclose(before, after, atol=1e-5) != moved


def test_c56_types_make_as_many_layers_as_there_are() -> None:
    with pytest.raises(Exception, match="attention"):
        GPTNeoConfig(num_layers=2, attention_types=[[["global"], 3]])
