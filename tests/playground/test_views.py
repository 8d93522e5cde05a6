"""What the playground draws, without a browser: the figures are the model's own, and no text is a command."""

from pathlib import Path

import numpy as np
import pytest
import torch

import hornbook as hb
from hornbook.families import find
from hornbook.loading import LoadedModel
from hornbook.objectives import OBJECTIVES
from hornbook.playground import play
from hornbook.playground.attention import attention_of
from hornbook.playground.next_token import expect
from hornbook.playground.views import player_of
from hornbook.testing import Case

TEXT = "Once upon a time <b>there</b> was"


def opened(preset: str, objective: str) -> LoadedModel:
    """Give a tiny model of Hugging Face's class with new weights."""
    case = Case(find(preset), preset, OBJECTIVES[objective]())
    return case.loaded(case.plain(case.model()))


@pytest.fixture(scope="module")
def causal() -> LoadedModel:
    return opened("tinystories-1m", "causal")


def test_probabilities_are_the_classs(causal: LoadedModel) -> None:
    found = expect(causal, TEXT, top=4)
    ids = causal.tokenizer(TEXT)["input_ids"]
    read = torch.tensor([[causal.tokenizer.eos_token_id, *ids]])
    with torch.no_grad():
        chances = causal.model(read).logits[0].softmax(-1)
    assert [chance for _, chance in found.tokens] == pytest.approx(
        chances[range(len(ids)), ids].tolist(), rel=1e-5
    )
    assert [chance for _, chance in found.following] == pytest.approx(chances[-1].topk(4).values.tolist())
    assert len(expect(causal, "").following) == 10
    with pytest.raises(hb.HornbookError, match="shorten it"):
        expect(causal, TEXT * 40)


@pytest.mark.parametrize(
    ("preset", "objective"),
    [("tinystories-1m", "causal"), ("bert-tiny", "masked"), ("t5-small", "span_corruption")],
)
def test_attention_adds_up_and_looks_where_it_may(preset: str, objective: str) -> None:
    loaded = opened(preset, objective)
    tokens, weights = attention_of(loaded, TEXT)
    assert weights.shape[2:] == (len(tokens), len(tokens)) and weights.shape[0] >= 1
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
    ahead = np.triu(weights.max((0, 1)), 1)
    assert (ahead.max() == 0) == (objective == "causal")
    with pytest.raises(hb.HornbookError, match="takes 1 to 32"):
        attention_of(loaded, TEXT * 40)


@pytest.mark.parametrize(
    ("preset", "objective", "first"),
    [
        ("tinystories-1m", "causal", "Next token"),
        ("bert-tiny", "masked", "Gaps"),
        ("t5-small", "span_corruption", "Gaps"),
    ],
)
def test_each_kind_of_model_has_its_views(preset: str, objective: str, first: str) -> None:
    player = player_of(opened(preset, objective))
    assert next(iter(player.views)) == first and "Attention" in player.views
    for view in player.views:
        drawn = player.draw(view, f"{TEXT} ___")
        assert ("<b>" not in drawn and "hb-told" in drawn) or "<table" in drawn or "<mark>" in drawn
    assert "it has no view" not in player.draw(first, TEXT)
    assert "has no view “Dense thoughts”: it has " in player.draw("Dense thoughts", TEXT)
    assert "Type a text." in player.draw(first, " ")
    if first == "Gaps":
        assert "there is no blank" in player.draw(first, TEXT)


def test_dense_thoughts_are_drawn(causal: LoadedModel, tmp_path: Path) -> None:
    causal.model.save_pretrained(tmp_path / "plain")
    causal.tokenizer.save_pretrained(tmp_path / "plain")
    hb.dense.add(tmp_path / "plain", tmp_path / "thinking")
    drawn = player_of(tmp_path / "thinking").draw("Dense thoughts", TEXT)
    assert drawn.count("<mark>") >= 3 and "<b>" not in drawn


def test_without_gradio_it_says_what_to_install(causal: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hornbook.playground.play.find_spec", lambda _: None)
    with pytest.raises(hb.HornbookError, match=r"pip install 'hornbook\[play\]'"):
        play.build([causal])
