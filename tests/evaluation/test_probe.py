"""The linear reader of pairs, against a twin that reads one pair at a time and fits by plain least squares."""

import numpy as np
import pytest
import torch

from hornbook.evaluation.probe import probe
from hornbook.objectives.masked_next_sentence import MaskedNextSentence
from hornbook.objectives.masked_sentence_order import MaskedSentenceOrder
from hornbook.rng import CounterRNG
from hornbook.store import TokenStore, build


@pytest.fixture
def stores(make, stories, tmp_path):
    loaded = make("bert-tiny", 32)
    parts = {"learn": stories[:40], "judge": stories[40:60]}
    return loaded, *(
        build(tmp_path / name, texts, loaded.tokenizer, loaded.vocabulary.sep, sentences=True)
        for name, texts in parts.items()
    )


def read(loaded, objective, store: TokenStore) -> tuple[np.ndarray, np.ndarray]:
    chunking = objective.chunking(store, 32)
    features, labels = [], []
    for turn in range(4):
        for row in range(chunking.count):
            rows = np.array([row])
            made = objective.read(
                store, chunking, chunking.starts(rows), loaded.vocabulary, CounterRNG(turn, "probe", rows)
            )
            ids = np.where(made["labels"] == -100, made["input_ids"], made["labels"])[0]
            real = int(made["attention_mask"].sum())
            second = int(made["token_type_ids"].sum())
            with torch.no_grad():
                states = loaded.model.bert(input_ids=torch.from_numpy(ids[None, :real])).last_hidden_state[0]
            a, b = states[: real - second].double().mean(0), states[real - second :].double().mean(0)
            features.append(torch.cat([states[0].double(), a * b, (a - b).abs()]).numpy())
            labels.append(int(made[objective.label][0]))
    return np.array(features), np.array(labels)


@pytest.mark.parametrize("objective", [MaskedNextSentence(), MaskedSentenceOrder()])
def test_as_a_twin_reads_them(stores, objective):
    loaded, learn, judge = stores
    x, y = read(loaded, objective, learn)
    mean, deviation = x.mean(0), x.std(0, ddof=1)
    x = np.hstack([(x - mean) / deviation, np.ones((len(x), 1))])
    ridge = np.sqrt(0.01 * len(x)) * np.eye(x.shape[1])
    weights = np.linalg.lstsq(
        np.vstack([x, ridge]), np.concatenate([2 * y - 1, np.zeros(len(ridge))]), rcond=None
    )[0]
    z, wanted = read(loaded, objective, judge)
    said = np.hstack([(z - mean) / deviation, np.ones((len(z), 1))]) @ weights > 0
    assert probe(loaded, objective, learn, judge) == pytest.approx(np.mean(said == wanted), abs=0.01)


def test_what_can_be_told_is_told(stores, monkeypatch):
    """Where the second segment of swapped pairs is all one word, a reader hardly misses it."""
    loaded, learn, judge = stores
    pair = MaskedSentenceOrder.read

    def marked(self, store, chunking, starts, vocabulary, rng):
        made = pair(self, store, chunking, starts, vocabulary, rng)
        swapped = (made["sentence_order_label"] == 1)[:, None] & (made["token_type_ids"] == 1)
        made["input_ids"] = np.where(swapped, vocabulary.words[50], made["input_ids"])
        made["labels"] = np.full_like(made["labels"], -100)
        return made

    monkeypatch.setattr(MaskedSentenceOrder, "read", marked)
    assert probe(loaded, MaskedSentenceOrder(), learn, judge) > 0.9
