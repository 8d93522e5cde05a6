import math

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from hornbook.errors import HornbookError
from hornbook.evaluation.bits_per_byte import bits_per_byte
from hornbook.store import build
from hornbook.testing.twins import token_by_token


@pytest.fixture
def texts(stories):
    """Shorter than a length of 32 tokens, about as long, and much longer."""
    return [stories[0][:20], "a", stories[1][:90], "".join(stories[2:5]), "b c", stories[4]]


@pytest.mark.parametrize("length", [32, 17])
@pytest.mark.parametrize("preset", ["tinystories-1m", "pythia-14m"])
def test_equals_hugging_faces_model_asked_token_by_token(make, tmp_path, texts, preset, length):
    loaded = make(preset, length)
    store = build(tmp_path / "tokens", texts, loaded.tokenizer, loaded.tokenizer.eos_token_id)
    documents = [[*loaded.tokenizer(text)["input_ids"], loaded.tokenizer.eos_token_id] for text in texts]
    assert max(map(len, documents)) > 4 * length  # several windows
    found = bits_per_byte(loaded, store)
    model = AutoModelForCausalLM.from_pretrained(loaded.folder).eval()
    assert found.nats == pytest.approx(token_by_token(model, documents, length), rel=1e-5)
    assert found.tokens == sum(map(len, documents)) and found.documents == len(texts)
    size = len("".join(texts).encode())
    assert found.bytes == size
    assert found.bits_per_byte == pytest.approx(found.nats / math.log(2) / size)


def test_a_model_without_opinions_needs_log2_of_the_vocabulary_for_every_token(make, tmp_path, texts):
    loaded = make("pythia-14m", 32)
    torch.nn.init.zeros_(loaded.model.get_output_embeddings().weight)
    store = build(tmp_path / "tokens", [*texts, "æøå"], loaded.tokenizer, loaded.tokenizer.eos_token_id)
    found = bits_per_byte(loaded, store)
    size = sum(len(text.encode()) for text in texts) + 6
    bits = math.log2(loaded.model.config.vocab_size) * len(store.tokens) / size
    assert found.bits_per_byte == pytest.approx(bits, rel=1e-6)


def test_a_document_is_scored_alone(make, tmp_path, texts):
    loaded = make("tinystories-1m", 32)

    def nats(name, some):
        store = build(tmp_path / name, some, loaded.tokenizer, loaded.tokenizer.eos_token_id)
        return bits_per_byte(loaded, store).nats

    alone = [nats(f"alone{number}", [text]) for number, text in enumerate(texts)]
    assert nats("all", texts) == pytest.approx(sum(alone), rel=1e-5)


def test_a_cap_takes_documents_from_all_over(make, tmp_path, texts):
    loaded = make("tinystories-1m", 32)
    end = loaded.tokenizer.eos_token_id
    heard = []
    capped = bits_per_byte(loaded, build(tmp_path / "all", texts, loaded.tokenizer, end), 2, heard.append)
    ends = bits_per_byte(loaded, build(tmp_path / "two", [texts[0], texts[-1]], loaded.tokenizer, end))
    assert capped.documents == 2 and capped.bytes == ends.bytes
    assert capped.nats == pytest.approx(ends.nats, rel=1e-5)
    assert heard == sorted(heard) and heard[-1] == 1


def test_batches_change_nothing(make, tmp_path, texts, monkeypatch):
    loaded = make("tinystories-1m", 32)
    store = build(tmp_path / "all", texts * 3, loaded.tokenizer, loaded.tokenizer.eos_token_id)
    whole = bits_per_byte(loaded, store)
    monkeypatch.setattr("hornbook.evaluation.bits_per_byte._TOKENS", 50)
    monkeypatch.setattr("hornbook.evaluation.bits_per_byte._LOGITS", 4000)
    assert np.isclose(bits_per_byte(loaded, store).nats, whole.nats, rtol=1e-6)


def test_a_masked_model_has_none(make, tmp_path, texts):
    loaded = make("roberta-base")
    store = build(tmp_path / "tokens", texts, loaded.tokenizer, loaded.tokenizer.sep_token_id)
    with pytest.raises(HornbookError, match=r"masked model.*hornbook unmask"):
        bits_per_byte(loaded, store)
