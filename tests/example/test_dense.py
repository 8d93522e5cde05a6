"""A text with dense tokens, against the loss and the filling of training."""

import math
from pathlib import Path

import pytest
import torch

from hornbook.dense_tokens.folder import open_dense, save_dense
from hornbook.dense_tokens.loss import losses
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.options import DenseOptions
from hornbook.dense_tokens.token import add_dense_token
from hornbook.errors import HornbookError
from hornbook.example import show
from hornbook.families import find
from hornbook.objectives import OBJECTIVES
from hornbook.testing import Case

TEXT = "Once upon<|dense|><|dense|> a time there<|dense|> was a cat."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    case = Case(find("pythia-14m"), "pythia-14m", OBJECTIVES["causal"]())
    model = case.model(1)
    dense = DenseModel(model, add_dense_token(model, case.tokenizer), DenseOptions())
    save_dense(dense, case.tokenizer, tmp_path_factory.mktemp("dense") / "thinking")
    return tmp_path_factory.getbasetemp() / "dense0" / "thinking"


def test_layout_and_loss_are_those_of_training(folder: Path) -> None:
    example = show(folder, TEXT)
    model, tokenizer = open_dense(folder)
    model.eval()
    ids = example.batch["input_ids"]
    parts = [tokenizer.encode(part, add_special_tokens=False) for part in TEXT.split("<|dense|>")]
    numbers = [tokenizer.eos_token_id, *parts[0]]
    for part in parts[1:]:
        numbers += [model.dense_id, *part]
    assert ids[0].tolist() == numbers
    layout = model.layout(ids)
    with torch.no_grad():
        filled = model(ids, layout)
        found = losses(filled, ids, layout, model.dense_id)
    words, emission = example.terms
    assert math.isclose(words.sum, float(found.words.sum()), rel_tol=1e-6)
    for term in example.terms:
        assert math.isclose(math.fsum(one.nats for one in term.steps), term.sum, rel_tol=1e-5)
    assert words.count == len(numbers) - 1 - 3 and emission.count == len(numbers) - 1

    (sequence,) = example.sequences
    places = sequence.places
    dense = [one.place for one in places if one.kind == "dense"]
    assert dense == [place for place, one in enumerate(numbers) if one == model.dense_id]
    assert [one.place for one in places if one.passes] == dense
    assert all(places[place].position == places[place - 1].position for place in dense)
    with torch.no_grad():
        logits = filled.head(filled.hidden[0, dense[0] - 1])
    logits[model.dense_id] = -torch.inf
    assert f"{logits.softmax(-1).max():.1%}" in places[dense[0]].passes
    assert f"place {dense[0] - 1}" in places[dense[0]].passes


def test_without_a_text_and_without_dense_tokens(folder: Path) -> None:
    assert any(one.kind == "dense" for one in show(folder).sequences[0].places)
    plain = show(folder, "Once upon a time")
    assert any("No <|dense|> is in the text" in remark for remark in plain.remarks)
    with pytest.raises(HornbookError, match="leave --hide"):
        show(folder, "Once upon a time", "time")
