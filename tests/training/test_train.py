"""Training as a function: what a run gives, and what listens to it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import hornbook
from hornbook.errors import HornbookError
from hornbook.recipe import Recipe
from hornbook.run import Run
from hornbook.training import accelerator
from hornbook.training.callbacks import Callback, EarlyStopping, TrainingLoop
from tests.training.launching import SMALL


@pytest.fixture
def recipe(recipe_of: Callable[..., Recipe]) -> dict[str, Any]:
    often = {"log_every": 1, "evaluate_every": 1, "checkpoint_every": 2}
    return recipe_of(SMALL, "causal", steps=6, **often).model_dump(mode="json", exclude_unset=True)


class Heard(Callback):
    """Keeps what it hears."""

    def __init__(self, stop_at: int = 0) -> None:
        self.events: list[Any] = []
        self.stop_at = stop_at

    def on_begin(self, loop: TrainingLoop) -> None:
        self.events.append(("begin", loop.progress.step))

    def on_log(self, loop: TrainingLoop, kind: str, facts: dict[str, Any]) -> None:
        self.events.append((kind, facts["step"]))
        if kind == "evaluate" and loop.progress.step == self.stop_at:
            loop.stop("it is enough")

    def on_save(self, loop: TrainingLoop) -> None:
        self.events.append(("save", loop.progress.step))

    def on_end(self, loop: TrainingLoop) -> None:
        self.events.append(("end", loop.progress.step))

    def on_finish(self, loop: TrainingLoop) -> None:
        self.events.append(("finish", loop.progress.step))


def test_a_run_holds_all_that_came_of_it(recipe: dict[str, Any]) -> None:
    heard = Heard()
    run = hornbook.train(recipe, ["training.steps=2"], [heard])
    assert heard.events == [
        ("begin", 0),
        *[("train", 1), ("evaluate", 1)],
        *[("train", 2), ("evaluate", 2), ("save", 2), ("end", 2), ("finish", 2)],
    ]
    assert run.recipe.training.steps == 2 and run.page.exists()
    assert list(run.log["kind"]) == ["train", "evaluate"] * 2
    assert {"held-out loss", "bits per byte"} == set(run.figures["measure"])
    ids = run.tokenizer("Once upon a time", return_tensors="pt").input_ids
    assert run.model(ids).logits.shape[-1] == len(run.tokenizer)
    assert not run.model.training

    again = Heard()
    hornbook.train(recipe, ["training.steps=2"], [again])
    assert again.events == [("finish", 2)]


@pytest.mark.long
def test_a_callback_ends_a_training_and_the_model_is_whole(recipe: dict[str, Any]) -> None:
    heard = Heard(stop_at=3)
    run = hornbook.train(recipe, callbacks=[heard])
    assert heard.events[-3:] == [("save", 3), ("end", 3), ("finish", 3)]
    assert list(run.log["step"])[-1] == 3 and len(run.figures)
    shorter = hornbook.train(recipe | {"out": f"{recipe['out']}-2"}, callbacks=[Heard(stop_at=4)])
    assert list(shorter.log["loss"][:6]) == list(run.log["loss"][:6]) != []
    # It is finished: the same command trains no more.
    again = Heard()
    hornbook.train(recipe, callbacks=[again])
    assert again.events == [("finish", 3)]


def test_early_stopping_stops_where_the_loss_stops_falling(recipe: dict[str, Any]) -> None:
    """At a learning rate of next to nothing the held-out loss falls by less than asked for."""
    changes = ["training.learning_rate=1e-9", "training.weight_decay=0"]
    run = hornbook.train(recipe, changes, [EarlyStopping(patience=2, min_delta=0.1)])
    assert list(run.log["step"])[-1] == 3

    class Stopped(Exception):
        pass

    class Breaks(Callback):
        def on_save(self, loop: TrainingLoop) -> None:
            raise Stopped

    # Cut off after the second step, it remembers what it had seen.
    other = recipe | {"out": f"{recipe['out']}-2"}
    with pytest.raises(Stopped):
        hornbook.train(other, changes, [Breaks()])
    run = hornbook.train(other, changes, [EarlyStopping(patience=2, min_delta=0.1)])
    assert list(run.log["step"])[-1] == 3


def test_early_stopping_that_was_cut_off_at_its_end_takes_no_step_more(recipe: dict[str, Any]) -> None:
    class Breaks(Callback):
        def on_save(self, loop: TrainingLoop) -> None:
            if loop.progress.step == 3:
                raise KeyboardInterrupt

    changes = ["training.learning_rate=1e-9", "training.weight_decay=0"]
    with pytest.raises(KeyboardInterrupt):
        hornbook.train(recipe, changes, [EarlyStopping(patience=2, min_delta=0.1), Breaks()])
    assert not Path(recipe["out"], "model").exists()
    run = hornbook.train(recipe, changes, [EarlyStopping(patience=2, min_delta=0.1)])
    assert list(run.log["step"])[-1] == 3 and len(run.figures)


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    assert Run(tmp_path).log.empty
    with pytest.raises(HornbookError, match=r"is no run: it has no run\.json"):
        _ = Run(tmp_path).figures


def test_early_stopping_refuses_what_it_cannot_watch(recipe: dict[str, Any]) -> None:
    with pytest.raises(HornbookError, match=r"watches 'perplexity', .* choose one of bits_per_byte, loss"):
        hornbook.train(recipe, callbacks=[EarlyStopping(monitor="perplexity")])
    with pytest.raises(HornbookError, match="patience is 0"):
        EarlyStopping(patience=0)


def test_a_tracker_of_another_package(
    recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my_tracker"
    (folder / "my_tracker-1.0.dist-info").mkdir(parents=True)
    (folder / "my_tracker-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: my_tracker\nVersion: 1.0\n"
    )
    (folder / "my_tracker-1.0.dist-info" / "entry_points.txt").write_text(
        "[hornbook.trackers]\nmine = my_tracker:Mine\n"
    )
    (folder / "my_tracker.py").write_text(
        "import json\n"
        "from pathlib import Path\n"
        "from accelerate.tracking import GeneralTracker\n"
        "class Mine(GeneralTracker):\n"
        "    name, requires_logging_directory = 'mine', True\n"
        "    def __init__(self, run_name, logging_dir):\n"
        "        super().__init__()\n"
        "        self.path = Path(logging_dir) / f'{run_name}.jsonl'\n"
        "    @property\n"
        "    def tracker(self): return self.path\n"
        "    def store_init_configuration(self, values): ...\n"
        "    def log(self, values, step, **kwargs):\n"
        "        self.path.parent.mkdir(parents=True, exist_ok=True)\n"
        "        with self.path.open('a') as file: file.write(json.dumps([step, values]) + '\\n')\n"
    )
    monkeypatch.syspath_prepend(folder)
    accelerator.TRACKERS.__dict__.pop("_entries", None)
    try:
        run = hornbook.train(recipe, ["training.steps=1", "training.trackers=[mine]"])
    finally:
        accelerator.TRACKERS.__dict__.pop("_entries", None)
    lines = [json.loads(line) for line in (run.folder / "trackers" / "run.jsonl").read_text().splitlines()]
    assert lines[0][0] == 1 and "train/loss" in lines[0][1]
    assert torch.isfinite(torch.tensor(lines[0][1]["train/loss"]))


@pytest.mark.long
def test_the_readmes_lines_run(
    recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    lines = text.split("## From Python")[1].split("```python\n")[1].split("```")[0]
    assert 'hb.train("manuals-bert", training={"steps": 200}' in lines
    monkeypatch.chdir(tmp_path)
    small = {"tokenizer": {"vocab_size": 512}, "model": {"preset": "bert-tiny", "length": 32}}
    training = {"steps": 9, "batch": 4, "trackers": []}
    small |= {"name": "small", "corpus": recipe["corpus"], "objective": "masked", "training": training}
    Path("manuals-bert").write_text(yaml.safe_dump(small))  # a file goes before what is shipped
    names: dict[str, Any] = {"texts": (f"Tom saw {number} birds in a tree." for number in range(300))}
    exec(lines.replace('"steps": 200', '"steps": 2').replace('"steps": 500', '"steps": 2'), names)
    assert len(names["run"].figures) and names["mine"].page.exists()
