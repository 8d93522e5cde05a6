"""The linear reader of pairs, against a twin that reads one pair at a time and fits by plain least squares."""

import numpy as np
import pytest
import torch

from hornbook.draws import Draws
from hornbook.evaluation.probe import probe
from hornbook.objectives import MaskedNextSentence, MaskedSentenceOrder
from hornbook.store import TokenStore, build


@pytest.fixture
def stores(make, stories, tmp_path):
    opened = make("bert-tiny", 32)
    parts = {"learn": stories[:40], "judge": stories[40:60]}
    return opened, *(
        build(tmp_path / name, texts, opened.tokenizer, opened.vocabulary.sep, sentences=True)
        for name, texts in parts.items()
    )


def read(opened, objective, store: TokenStore) -> tuple[np.ndarray, np.ndarray]:
    cuts = objective.cuts(store, 32)
    features, labels = [], []
    for turn in range(4):
        for row in range(cuts.count):
            rows = np.array([row])
            made = objective.read(
                store, cuts, cuts.starts(rows), opened.vocabulary, Draws(turn, "probe", rows)
            )
            ids = np.where(made["labels"] == -100, made["input_ids"], made["labels"])[0]
            real = int(made["attention_mask"].sum())
            second = int(made["token_type_ids"].sum())
            with torch.no_grad():
                states = opened.model.bert(input_ids=torch.from_numpy(ids[None, :real])).last_hidden_state[0]
            a, b = states[: real - second].double().mean(0), states[real - second :].double().mean(0)
            features.append(torch.cat([states[0].double(), a * b, (a - b).abs()]).numpy())
            labels.append(int(made[objective.label][0]))
    return np.array(features), np.array(labels)


@pytest.mark.parametrize("objective", [MaskedNextSentence(), MaskedSentenceOrder()])
def test_as_a_twin_reads_them(stores, objective):
    opened, learn, judge = stores
    x, y = read(opened, objective, learn)
    mean, deviation = x.mean(0), x.std(0, ddof=1)
    x = np.hstack([(x - mean) / deviation, np.ones((len(x), 1))])
    ridge = np.sqrt(0.01 * len(x)) * np.eye(x.shape[1])
    weights = np.linalg.lstsq(
        np.vstack([x, ridge]), np.concatenate([2 * y - 1, np.zeros(len(ridge))]), rcond=None
    )[0]
    z, wanted = read(opened, objective, judge)
    said = np.hstack([(z - mean) / deviation, np.ones((len(z), 1))]) @ weights > 0
    assert probe(opened, objective, learn, judge) == pytest.approx(np.mean(said == wanted), abs=0.01)


def test_what_can_be_told_is_told(stores, monkeypatch):
    """Where the second segment of swapped pairs is all one word, a reader hardly misses it."""
    opened, learn, judge = stores
    pair = MaskedSentenceOrder.read

    def marked(self, store, cuts, starts, vocabulary, draws):
        made = pair(self, store, cuts, starts, vocabulary, draws)
        swapped = (made["sentence_order_label"] == 1)[:, None] & (made["token_type_ids"] == 1)
        made["input_ids"] = np.where(swapped, vocabulary.words[50], made["input_ids"])
        made["labels"] = np.full_like(made["labels"], -100)
        return made

    monkeypatch.setattr(MaskedSentenceOrder, "read", marked)
    assert probe(opened, MaskedSentenceOrder(), learn, judge) > 0.9
