"""Runs of tiny models: one that was cut off goes on to the same bits."""

import gc
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from hornbook.recipe import make_recipe
from hornbook.reporter import Reporter
from hornbook.testing.case import LENGTH, Case, tiny_values
from hornbook.testing.stories import make_stories
from hornbook.training.log import read_log
from hornbook.training.train import start

STEPS, MIDDLE = 3, 2


def recipe_of(case: Case, folder: Path, dropout: float, **training: Any) -> dict[str, Any]:
    """Describe a run of a case in a folder, with other options of training as keywords."""
    shared = Path(_shared().name)
    return {
        "name": "run",
        "out": str(folder),
        "cache": str(shared / "cache"),
        "corpus": {"path": str(shared / "stories.txt"), "documents": "line", "heldout_fraction": 0.1},
        "tokenizer": {"vocab_size": 512},
        "model": {"preset": case.preset, "length": LENGTH, "config": tiny_values(case.family, dropout)},
        "objective": case.objective.model_dump(mode="json"),
        "training": {
            "steps": STEPS,
            "batch": 4,
            "accumulate": 2,
            "checkpoint_every": MIDDLE,
            "evaluate_every": STEPS,
            "evaluate_windows": 4,
            "log_every": 1,
            "trackers": [],
            **training,
        },
    }


@cache
def _shared() -> TemporaryDirectory[str]:
    """Keep a corpus, and what is made of it, for all runs of this process."""
    # Each run ends by collecting garbage, which takes a second where it looks through all that was imported.
    gc.freeze()
    folder = TemporaryDirectory(prefix="hornbook-testing-")
    (Path(folder.name) / "stories.txt").write_text("\n".join(make_stories(200)), "utf-8")
    return folder


def exact_resume(case: Case, folder: Path) -> None:
    """A run that was cut off goes on to the same bits, with dropout, in fp32."""
    resume(case, folder / "run", 0.1, precision="fp32")


def exact_resume_bf16(case: Case, folder: Path) -> None:
    """A run that was cut off goes on to the same bits, with dropout, in bf16."""
    resume(case, folder / "run", 0.1, precision="bf16")


def resume(case: Case, folder: Path, dropout: float, **training: Any) -> None:
    """Train, make it look as if the run had been killed after its first checkpoint, and go on to the same bits."""
    recipe = make_recipe(recipe_of(case, folder, dropout, **training), [])
    finished = folder / "model"
    loop = start(recipe, Reporter(silent=True))
    rounded = recipe.training.precision == "bf16"
    case.require(loop.loss_module.bf16 == rounded, f"the run isn't in {recipe.training.precision}")
    loop.train()
    ended = weights_of(finished)
    middle, last = sorted((folder / "checkpoints").iterdir())
    begun = weights_of(middle)
    shutil.rmtree(last)
    shutil.rmtree(finished)
    start(recipe, Reporter(silent=True)).train()
    found = weights_of(finished)
    different = [name for name in ended if name not in found or not torch.equal(found[name], ended[name])]
    case.require(
        not different and found.keys() == ended.keys(),
        f"after going on from step {MIDDLE} of {STEPS}, {', '.join(different)} differ from a run's without a break",
    )
    learned = sum(not torch.equal(begun[name], ended[name]) for name in ended)
    case.require(
        learned > len(ended) / 2,
        f"{learned} of {len(ended)} weights changed in the last step: it trains nothing",
    )
    wrong = [name for name, one in ended.items() if one.dtype != torch.float32 or not one.isfinite().all()]
    case.require(not wrong, f"after {STEPS} steps, {', '.join(wrong)} aren't finite fp32")
    losses = [loss for _, _, loss in logged(folder)]
    case.require(
        len(losses) == STEPS + 1 and bool(torch.tensor(losses).isfinite().all()),
        f"the log of {STEPS} steps and one evaluation, of which the last step ran again, has the losses {losses}",
    )


def weights_of(folder: Path) -> dict[str, Tensor]:
    """Read all weights of a model's folder, and of models in it."""
    files = sorted(folder.rglob("model.safetensors"))
    return {
        f"{file.relative_to(folder)} {name}": one for file in files for name, one in load_file(file).items()
    }


def logged(run: Path) -> list[tuple[str, int, float]]:
    """Read a run's losses, of training and held-out text: kind, step, nats."""
    return [(line["kind"], line["step"], line["loss"]) for line in read_log(run / "log.jsonl")]
