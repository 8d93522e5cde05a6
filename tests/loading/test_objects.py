"""A model and its tokenizer as objects of transformers, where a function takes a model."""

import gc
from pathlib import Path
from typing import Any

import pytest
import torch

import hornbook as hb
from hornbook.families import find
from hornbook.objectives import OBJECTIVES
from hornbook.testing import Case, make_stories

MASKED, CAUSAL, SPANS = ("bert-tiny", "masked"), ("tinystories-1m", "causal"), ("t5-small", "span_corruption")
USES: dict[str, tuple[tuple[str, str], Any]] = {
    "unmask": (MASKED, lambda model: hb.unmask(model, "Once ___ a time.", 2)),
    "generate": (CAUSAL, lambda model: hb.generate(model, "Once", 5)),
    "infill": (SPANS, lambda model: hb.infill(model, "Once ___ a time.", 5)),
    "evaluate": (CAUSAL, lambda model: hb.evaluate(model, make_stories(3))["measures"]),
    "show": (SPANS, lambda model: hb.show(model, "Once upon a time.", hide="upon").loss),
    "load": (MASKED, lambda model: hb.unmask(hb.load(model), "A ___.", 1)),
}


def pair_of(preset: str, objective: str) -> tuple[Any, Any]:
    case = Case(find(preset), preset, OBJECTIVES[objective]())
    return case.plain(case.model()).train(), case.tokenizer


@pytest.mark.parametrize("use", USES)
def test_objects_go_in_as_their_folder_does(use: str, tmp_path: Path) -> None:
    kind, ask = USES[use]
    model, tokenizer = pair_of(*kind)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert ask((model, tokenizer)) == ask(tmp_path)
    assert model.training  # the object stays as it is


def test_what_is_shown_is_the_loss_of_the_object() -> None:
    model, tokenizer = pair_of(*MASKED)
    before = hb.show((model, tokenizer), "Once upon a time.", hide="upon").loss
    with torch.no_grad():
        for one in model.parameters():
            one.mul_(1.5)
    shown = hb.show((model, tokenizer), "Once upon a time.", hide="upon")
    with torch.no_grad():
        loss = float(model.eval()(**shown.batch).loss)
    assert shown.loss == pytest.approx(loss, abs=1e-4) and abs(before - loss) > 1e-3


def test_its_folder_goes_with_it() -> None:
    loaded = hb.load(pair_of(*MASKED))
    folder = loaded.folder
    assert folder.is_dir() and loaded.name == "BertForMaskedLM"
    assert repr(loaded).startswith("<BertForMaskedLM: BertForMaskedLM, masked, ") and len(repr(loaded)) < 150
    del loaded
    gc.collect()
    assert not folder.exists()


def test_what_is_no_model_is_told() -> None:
    model, tokenizer = pair_of(*MASKED)
    with pytest.raises(
        hb.HornbookError, match=r"BertForMaskedLM without its tokenizer.*\(model, tokenizer\)"
    ):
        hb.unmask(model, "A ___.")
    with pytest.raises(hb.HornbookError, match="a tuple of int, int"):
        hb.unmask((1, 2), "A ___.")  # type: ignore[arg-type]
    causal, _ = pair_of(*CAUSAL)
    causal.resize_token_embeddings(20)
    with pytest.raises(hb.HornbookError, match=r"^GPTNeoForCausalLM: the tokenizer"):
        hb.generate((causal, tokenizer), "A")
    assert hb.unmask((model, tokenizer), "A ___.")  # the advice
