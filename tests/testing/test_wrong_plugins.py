"""The suite can fail: what is wrong in a known way is named, in one sentence."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from torch import Tensor, nn
from transformers import PreTrainedModel

from hornbook.families import find
from hornbook.objectives import Batch, Vocabulary
from hornbook.objectives.causal import Causal
from hornbook.objectives.objective import Objective
from hornbook.objectives.vocabulary import Ids
from hornbook.rng import CounterRNG
from hornbook.testing import TWINS, Case, suite

GPT2: Any = type(find("distilgpt2"))
Roberta: Any = type(find("roberta-base"))


class Shifted(GPT2):
    """Shifts the labels once more."""

    def hidden_and_labels(self, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        hidden, labels = super().hidden_and_labels(model, batch)
        return hidden, labels.roll(-1, 1)


class SeesAll(GPT2):
    """Ignores where a document begins."""

    def hidden(self, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> Tensor:
        return super().hidden(model, {key: one for key, one in batch.items() if key != "position_ids"})


class Forgets(GPT2):
    """Has weights that aren't saved."""

    def open(self, folder: Path | str, head: Any) -> PreTrainedModel:
        model = super().open(folder, head)
        nn.init.normal_(model.transformer.ln_f.weight)
        return model


class Unseeded(GPT2):
    """Makes weights from the moment's random state."""

    def construct(self, config: Any, head: Any) -> PreTrainedModel:
        model = super().construct(config, head)
        model.transformer.ln_f.weight.data += float(np.random.rand())
        return model


class NoMatrices(GPT2):
    """Believes that its matrices are nn.Linear, as most people's are."""

    matrices = (nn.Linear,)


class TooFewPositions(Roberta):
    """Forgets that RoBERTa counts positions from the pad id."""

    def positions(self, tokenizer: Any, length: int) -> dict[str, int]:
        return {"max_position_embeddings": length}


class Drawn(Causal):
    """Draws from NumPy's own state."""

    name: Literal["drawn"] = "drawn"  # type: ignore[assignment]

    def batch(self, windows: Ids, vocabulary: Vocabulary, rng: CounterRNG) -> Batch:
        hidden = np.random.rand(*windows.shape) < 0.1
        return {"input_ids": np.where(hidden, vocabulary.words[0], windows), "labels": windows}


class Neighbours(Causal):
    """Lets a row depend on the one before it."""

    name: Literal["neighbours"] = "neighbours"  # type: ignore[assignment]

    def batch(self, windows: Ids, vocabulary: Vocabulary, rng: CounterRNG) -> Batch:
        return {"input_ids": np.roll(windows, 1, axis=0), "labels": windows}


class Ranked(Causal):
    """Declares a measure that nobody gave a twin."""

    name: Literal["ranked"] = "ranked"  # type: ignore[assignment]
    measures = ("rank",)


class Doubled(Causal):
    """Has a loss of its own, and still shows Causal's."""

    name: Literal["doubled"] = "doubled"  # type: ignore[assignment]

    def loss(self, *given: Any) -> Any:
        sums, counts = super().loss(*given)
        return 2 * sums, counts


@pytest.mark.parametrize(
    ("check", "family", "objective", "sentence"),
    [
        (
            "loss_and_gradients",
            Shifted,
            Causal(),
            r"causal: the loss is \d.*Hugging Face's GPT2LMHeadModel \d",
        ),
        ("document_mask", SeesAll, Causal(document_mask=True), "so it sees another"),
        (
            "folder_round_trip",
            Forgets,
            Causal(),
            "transformer.ln_f.weight of the saved folder open with other",
        ),
        ("weights", Unseeded, Causal(), "two models of seed 3 have different weights"),
        ("weights", NoMatrices, Causal(), r"declared matrices \(Linear\): Muon would leave"),
        ("positions", TooFewPositions, find("roberta-base"), "32 tokens look beyond the position table"),
        ("batches", GPT2, Drawn(), "input_ids of one batch, made twice, differ: batch.. must draw from"),
        ("batches", GPT2, Neighbours(), "made at once and in two parts, differ: a row must not depend"),
        ("measures", GPT2, Ranked(), "the measure rank has no twin"),
        ("one_example", GPT2, Doubled(), r"in all, and its places in arithmetic\(\) don't come to that"),
    ],
    ids=lambda one: one if isinstance(one, str) and one.isidentifier() else getattr(one, "__name__", ""),
)
def test_what_is_wrong_is_named(
    check: str, family: Any, objective: Any, sentence: str, tmp_path: Path
) -> None:
    preset = next(iter(family.presets))
    if not isinstance(objective, Objective):
        from hornbook.objectives import natural_objective

        objective = natural_objective("masked")
    case = Case(family(), preset, objective, twins=TWINS)
    with pytest.raises(AssertionError, match=sentence) as caught:
        getattr(suite, check)(case, tmp_path)
    assert str(caught.value).startswith(f"{case}: ") and "\n" not in str(caught.value)
    right = replace(
        case,
        family=find(preset),
        objective=Causal() if check in ("batches", "measures", "one_example") else objective,
    )
    getattr(suite, check)(right, tmp_path / "right")


PLUGIN = """
from hornbook.families.gpt2 import GPT2

class Thing(GPT2):
    name = "shifted"
    presets = {"shifted-tiny": GPT2.presets["gpt2"]}

    def hidden_and_labels(self, model, batch):
        hidden, labels = super().hidden_and_labels(model, batch)
        return hidden, labels.roll(-1, 1)
"""
TESTS = """
from hornbook.testing import conformance
test_shifted = conformance(families=["shifted"], objectives=["causal"])
"""


@pytest.mark.long
def test_another_packages_tests_find_its_family(tmp_path: Path) -> None:
    """As CONTRIBUTING says: the package registers a family, and its test module has two lines."""
    (tmp_path / "shifted.py").write_text(PLUGIN)
    (tmp_path / "test_shifted.py").write_text(TESTS)
    facts = tmp_path / "shifted-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: shifted\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[hornbook.families]\nshifted = shifted:Thing\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "weights or loss_and_gradients",
    ]
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "2 failed, 1 passed" in ended.stdout, ended.stdout[-3000:]
    assert "AssertionError: shifted-causal: the loss is" in ended.stdout
    assert "AssertionError: shifted-causal-document_mask: the loss is" in ended.stdout
