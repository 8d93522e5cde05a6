"""What labels cost, from parts of the vocabulary, is what the whole softmax says of them."""

import pytest
import torch

from hornbook.evaluation.minimal_pairs import nats

MODELS = [("tinystories-1m", "bpe", "shared"), ("bert-tiny", "wordpiece", "bert")]


@pytest.mark.parametrize("columns", [100, 110, 512])
@pytest.mark.parametrize(("preset", "kind", "style"), MODELS)
@torch.inference_mode()
def test_parts_of_the_vocabulary_make_the_whole(make, monkeypatch, preset, kind, style, columns):
    loaded = make(preset, 64, kind, style)
    words = loaded.model.config.vocab_size
    assert words in (
        220,
        420,
    )  # 100 leaves a smaller last part, 110 does so in one of them, 512 takes all at once
    monkeypatch.setattr(nats, "_COLUMNS", columns)
    hidden = torch.randn(5, loaded.model.config.hidden_size)
    labels, places = torch.arange(words), torch.arange(words) % 5
    whole = loaded.family.logits(loaded.model, hidden).double()
    expected = whole.logsumexp(1)[places] - whole[places, labels]
    torch.testing.assert_close(
        nats.label_nats(loaded, hidden, labels, places), expected, atol=1e-5, rtol=1e-6
    )
    torch.testing.assert_close(
        nats.label_nats(loaded, hidden, labels[:5]), expected[:5], atol=1e-5, rtol=1e-6
    )


@torch.inference_mode()
def test_words_that_a_model_rules_out_take_no_share(make, monkeypatch):
    """They have -inf, and may fill a whole part of the vocabulary."""
    loaded = make("bert-tiny", 64, "wordpiece", "bert")
    monkeypatch.setattr(nats, "_COLUMNS", 100)
    loaded.family.output(loaded.model).bias[90:205] = -torch.inf
    hidden = torch.randn(3, loaded.model.config.hidden_size)
    labels = torch.tensor([5, 89, 210])
    whole = loaded.family.logits(loaded.model, hidden).double()
    expected = whole.logsumexp(1) - whole[torch.arange(3), labels]
    torch.testing.assert_close(nats.label_nats(loaded, hidden, labels), expected, atol=1e-5, rtol=1e-6)
    assert nats.label_nats(loaded, hidden[:1], torch.tensor([150])).item() == torch.inf


@torch.inference_mode()
def test_weights_that_are_no_numbers_are_seen(make):
    loaded = make("bert-tiny", 64, "wordpiece", "bert")
    loaded.family.output(loaded.model).bias[210] = torch.nan
    hidden = torch.randn(1, loaded.model.config.hidden_size)
    assert nats.label_nats(loaded, hidden, torch.tensor([5])).isnan()
