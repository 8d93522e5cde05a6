"""A step that can't fit is refused before it is taken, and the setting that the refusal names does fit."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.recipe import Recipe, make_recipe
from hornbook.reporter import Reporter
from hornbook.studies.memory import peak_memory
from hornbook.training.memory import estimate
from hornbook.training.train import start

Make = Callable[..., Recipe]


@pytest.fixture
def recipe(story_file: Path, tmp_path: Path) -> Make:
    def make(*settings: str, **more: Any) -> Recipe:
        values: dict[str, Any] = {
            "name": "mine",
            "out": str(tmp_path / "run"),
            "cache": str(tmp_path / "cache"),
            "corpus": {"path": str(story_file), "documents": "line"},
            "tokenizer": {"vocab_size": 500},
            "model": {"preset": "tinystories-1m", "length": 32, "config": {"num_layers": 1}},
            "objective": "causal",
            "training": {"steps": 1, "batch": 512, "trackers": [], "evaluate_windows": 1},
        }
        return make_recipe(values | more, settings)

    return make


def refused(recipe: Recipe) -> str:
    with pytest.raises(HornbookError) as caught:
        start(recipe, Reporter(silent=True))
    assert "\n" not in str(caught.value) and not recipe.folder.exists()
    return str(caught.value)


def test_parts_that_fit_are_named(recipe: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HORNBOOK_MEMORY", "0.04")
    said = refused(recipe())
    assert re.match(r"training\.batch: 512 sequences of 32 tokens need about 0\.\d+ GiB for a step, ", said)
    assert "HORNBOOK_MEMORY says 0.04 GiB" in said and said.endswith("which keeps the step the same")
    parts = re.search(r"set training\.accumulate to (\d+)", said)
    assert parts is not None and int(parts[1]) > 1
    start(recipe(f"training.accumulate={parts[1]}"), Reporter(silent=True)).train()


def test_a_batch_that_fits_is_named(recipe: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HORNBOOK_MEMORY", "0.04")
    said = refused(recipe("training.batch=100000000"))
    batch = re.search(r"set training\.batch to at most ([\d,]+)$", said)
    assert batch is not None and "100,000,000 sequences" in said
    start(recipe(f"training.batch={batch[1].replace(',', '')}"), Reporter(silent=True)).train()


def test_a_model_that_cannot_fit(recipe: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HORNBOOK_MEMORY", "0.001")
    assert "its state alone takes" in refused(recipe())


def test_phases_and_workers_count(recipe: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HORNBOOK_MEMORY", "0.04")
    phases = [{"length": 16, "steps": 1, "batch": 8}, {"length": 32, "steps": 1}]
    assert "512 sequences of 32" in refused(recipe(training={"steps": 2, "batch": 512, "phases": phases}))


# Bytes for each token, measured with 64 and 256 sequences of 128 tokens, fp32, on a CPU (`peaks` below, 2026-11-27).
MEASURED = {"bert-tiny": 19_936, "tinystories-1m": 35_958, "pythia-14m": 59_457}


@pytest.mark.parametrize("preset", MEASURED)
def test_the_estimate_is_near_what_was_measured(preset: str) -> None:
    family = find(preset)
    values = {
        **family.presets[preset].values,
        "vocab_size": 500,
        "max_position_embeddings": 128,
        "pad_token_id": 0,
    }
    with torch.device("meta"):
        model = family.construct(family.config_class(**family.derive(values)), next(iter(family.heads)))
    assert 0.67 < estimate(family, model, "adamw", 1).token / MEASURED[preset] < 1.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "objective"),
    [
        ("bert-tiny", "masked"),
        ("tinystories-1m", "causal"),
        ("pythia-14m", "causal"),
        ("t5-v1.1-tiny", "span_corruption"),
        ("albert-base-v2", "masked"),
        ("roberta-base", "masked"),
        ("electra-small", "replaced_tokens"),
        ("distilgpt2", "causal"),
        ("tinyllama-15m", "causal"),
    ],
)
def test_peaks(
    preset: str, objective: str, recipe: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peak of a step grows with its tokens as estimated, within a factor of two."""
    monkeypatch.setenv("HORNBOOK_HEAP", "leave")
    family, peaks = find(preset), {}
    sizes = {name: 4 for name in ("num_hidden_layers", "num_layers") if name in family.presets[preset].values}
    for batch in (16, 80):
        model = {"preset": preset, "length": 128, "config": sizes}
        settings = [f"training.batch={batch}", "training.precision=fp32", f"out={tmp_path / str(batch)}"]
        loop = start(recipe(*settings, model=model, objective=objective), Reporter(silent=True))
        parts = next(iter(loop._load(0, 1)))
        floor = peak_memory(lambda: None)
        peaks[batch] = peak_memory(lambda loop=loop, parts=parts: loop._step(0, parts)) - floor  # type: ignore[misc]
    token = (peaks[80] - peaks[16]) / (64 * 128)
    print(f"{preset}: {token:,.0f} bytes for each token")
    assert 0.5 < estimate(family, loop.model, "adamw", 1).token / token < 2


@pytest.mark.parametrize(("rate", "told"), [("1e-30", True), ("1e-3", False)])
@pytest.mark.parametrize(
    ("preset", "config"),
    [
        ("tinystories-1m", {"num_layers": 1}),
        ("bert-tiny", {"num_hidden_layers": 1}),
    ],  # whose pad's row begins with 0
)
def test_weights_that_stand_still_are_told(
    preset: str,
    config: dict[str, int],
    rate: str,
    told: bool,
    recipe: Make,
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = {"preset": preset, "length": 32, "config": config}
    objective = "masked" if preset == "bert-tiny" else "causal"
    made = recipe(f"training.learning_rate={rate}", "training.batch=8", model=model, objective=objective)
    start(made, Reporter()).train()
    assert ("the first 1 steps moved no weight, at a learning rate of" in caplog.text) is told
