"""`hornbook init`: the folder that a run would begin with."""

import json
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
import torch
from transformers import AutoModel, AutoModelForSeq2SeqLM, AutoTokenizer, pipeline

from hornbook.contract import examine
from hornbook.errors import HornbookError
from hornbook.families import FAMILIES, find
from hornbook.recipe import Recipe
from hornbook.reporter import Reporter
from hornbook.tokenizers import tokenizer_hash
from hornbook.training import train
from hornbook.training.train import init, start

CASES = {
    "roberta-base": "masked",
    "robertalbert": "masked",
    "bert-tiny": "masked_next_sentence",
    "tinystories-1m": "causal",
    "t5-small": "span_corruption",
}


@pytest.mark.parametrize("preset", ["tinystories-1m", "tinyllama-15m", "bert-tiny", "t5-small"])
def test_pipelines_need_no_further_argument(
    preset: str, recipe_of: Callable[..., Recipe], tmp_path: Path
) -> None:
    """A pipeline writes 256 tokens unless the folder says less, and these models have 24 positions.

    transformers 5 has no pipeline from text to text; `generate` has the same default.
    """
    objective = CASES.get(preset, "causal")
    init(
        recipe_of({"preset": preset, "length": 24, "config": find(preset).tiny}, objective), tmp_path / "new"
    )
    if objective == "causal":
        writer = pipeline("text-generation", model=str(tmp_path / "new"))
        assert len(writer("Once", return_tensors=True)[0]["generated_token_ids"]) <= 24
    elif objective == "span_corruption":
        tokenizer = AutoTokenizer.from_pretrained(tmp_path / "new")
        model = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "new")
        model.generation_config.eos_token_id = None  # new weights end anywhere
        ids = model.generate(**tokenizer("Once upon a <extra_id_0>.", return_tensors="pt"))
        assert ids.shape == (1, 24)
    else:
        assert len(pipeline("fill-mask", model=str(tmp_path / "new"))("Once upon a [MASK].")) == 5


@pytest.mark.parametrize("preset", CASES)
def test_it_has_the_weights_before_the_first_step(
    preset: str, recipe_of: Callable[..., Recipe], tmp_path: Path
) -> None:
    model = {"preset": preset, "length": 32, "config": find(preset).tiny}
    recipe = recipe_of(model, CASES[preset])
    facts = init(recipe, tmp_path / "new", report=Reporter(silent=True))
    assert not recipe.folder.exists()
    opened = FAMILIES[find(preset).name].heads[recipe.objective.head].from_pretrained(tmp_path / "new")
    with mock.patch.object(train, "examine_contract", return_value=None):
        first = start(recipe, Reporter(silent=True)).model
    begun = first.state_dict()
    assert begun.keys() == opened.state_dict().keys()
    assert all(torch.equal(weight, begun[name]) for name, weight in opened.state_dict().items())
    assert facts["parameters"] == sum(one.numel() for one in opened.parameters())

    tokenizer, base = (
        AutoTokenizer.from_pretrained(tmp_path / "new"),
        AutoModel.from_pretrained(tmp_path / "new"),
    )
    ids = torch.tensor([(tokenizer("Once upon a time").input_ids * 32)[:32]])
    base(input_ids=ids, **({"decoder_input_ids": ids} if preset == "t5-small" else {}))
    # Which rows no token takes, by gradient: the class's own way of counting.
    if facts["unused_positions"]:
        states = base(input_ids=ids).last_hidden_state
        (states * torch.rand(states.shape)).sum().backward()
        gradient = base.embeddings.position_embeddings.weight.grad.abs().sum(1)
        assert gradient.eq(0).nonzero().flatten().tolist() == facts["unused_positions"]
    else:
        assert "roberta" not in preset
    assert examine(tmp_path / "new").errors == []

    # What its tokenizer was trained on: the training part of the recipe's corpus.
    record = json.loads((tmp_path / "new" / "tokenizer_training.json").read_text("utf-8"))
    texts = list(recipe.corpus.documents_of("train"))
    assert record["corpus"]["documents"] == len(texts)
    assert record["corpus"]["bytes"] == sum(len(text.encode()) for text in texts)
    assert record["hash"] == tokenizer_hash(tokenizer)


def test_what_is_there_stays(recipe_of: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = recipe_of({"preset": "bert-tiny", "length": 32}, "masked")
    (tmp_path / "new").mkdir()
    with pytest.raises(HornbookError, match="something is there already"):
        init(recipe, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
