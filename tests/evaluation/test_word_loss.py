"""The loss on first words, against Hugging Face's logits and a loop over examples and tokens."""

import math
from itertools import pairwise

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM

from hornbook.errors import HornbookError
from hornbook.evaluation.heldout import heldout_batches
from hornbook.evaluation.word_loss import word_loss
from hornbook.objectives.span_corruption import SpanCorruption
from hornbook.store import build


@pytest.mark.parametrize("span", [1, 3])
def test_is_the_loss_of_each_first_word_among_words(make, stories, tmp_path, span):
    loaded, objective = make("t5-v1.1-tiny", 32), SpanCorruption(mean_span=span)
    store = build(tmp_path / "tokens", stories[:8], loaded.tokenizer, loaded.vocabulary.eos)
    model = AutoModelForSeq2SeqLM.from_pretrained(loaded.folder).eval()
    sentinels, words = loaded.vocabulary.sentinels.tolist(), loaded.vocabulary.words.tolist()
    losses = []
    for batch in heldout_batches(store, objective, loaded.vocabulary, 32, 10, 1):
        with torch.no_grad():
            logits = model(**batch).logits[0].double()
        [target] = batch["labels"].tolist()
        for place, (before, label) in enumerate(pairwise(target), 1):
            if before in sentinels and label in words:
                chances = {word: math.exp(float(logits[place, word])) for word in words}
                losses.append(-math.log(chances[label] / sum(chances.values())))
    assert len(losses) > 10 * (span == 1)
    expected = sum(losses) / len(losses)
    assert word_loss(loaded, objective, store, 10) == pytest.approx(expected, rel=1e-4)


def test_another_head_is_refused(make, stories, tmp_path):
    loaded = make("tinystories-1m", 32)
    store = build(tmp_path / "tokens", stories[:8], loaded.tokenizer, loaded.tokenizer.eos_token_id)
    with pytest.raises(HornbookError, match="this needs a seq2seq one"):
        word_loss(loaded, SpanCorruption(), store)
