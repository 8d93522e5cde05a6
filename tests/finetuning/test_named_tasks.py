"""Tasks by their names, from the command line: regression, two test parts, pairs, JSON lines, texts that are cut."""

import json
import sys

import numpy as np
import pytest
from scipy.stats import pearsonr

from hornbook.cli import main
from hornbook.finetuning import finetune, train
from hornbook.finetuning.reading import read_own
from hornbook.finetuning.settings import FinetuneSettings
from hornbook.finetuning.tasks import TASKS
from hornbook.finetuning.train import train_classifier
from hornbook.loading import load_model
from tests.evaluation.test_tasks import record
from tests.finetuning.conftest import PLACES, rows

NAMES = ("Tom", "Lily", "Anna")


def text(n):
    return f"{NAMES[n % 3]} went to the {PLACES[n % 8]}."


def make_files(folder):
    """Make up files in the published forms; every second text is far too long for the model."""
    stsb = [f"{text(n)}\t{text(n + n % 2)}\t{5.0 - 4 * (n % 2)}" for n in range(30)]
    mnli = [
        {"premise": text(n) * (1 + 20 * (n % 2)), "hypothesis": text(n + 1), "label": n % 3}
        for n in range(30)
    ]
    cola = [f"x\t{n % 3 and 1}\t\t{text(n)}" for n in range(30)]
    for name, table, head in (("STS-B", stsb, ["sentence1\tsentence2\tscore"]), ("CoLA", cola, [])):
        (folder / name).mkdir(parents=True)
        for part, found in (("train", table[:20]), ("dev", table[20:])):
            (folder / name / f"{part}.tsv").write_text("\n".join([*head, *found]), "utf-8")
    (folder / "MNLI").mkdir()
    parts = {"train": mnli[:20], "dev_matched": mnli[20:], "dev_mismatched": mnli[15:]}
    for part, found in parts.items():
        (folder / "MNLI" / f"{part}.jsonl").write_text("\n".join(map(json.dumps, found)), "utf-8")
    return folder


@pytest.mark.long
def test_three_tasks_by_the_command(save, tmp_path, monkeypatch, capsys):
    run = record(save(tmp_path / "run", "bert-tiny", 32, "wordpiece", "bert"), "run")
    data = make_files(tmp_path / "data")
    command = ["finetune", str(run), "--task", "stsb", "mnli", "cola", "--data", str(data)]
    command += ["--seeds", "1", "--epochs", "1", "--batch", "8", "--json"]
    monkeypatch.setattr(sys, "argv", ["hornbook", *command])
    with pytest.raises(SystemExit):
        main()
    figures = {one["measure"]: one for one in json.loads(capsys.readouterr().out)["measures"]}
    assert list(figures) == [
        *("STS-B, Pearson", "STS-B, Spearman", "MNLI-m, accuracy", "MNLI-mm, accuracy"),
        *("CoLA, Matthews", "CoLA, accuracy"),
    ]
    result = json.loads((run / "finetuned/stsb/seed-42/result.json").read_text("utf-8"))
    predicted = np.array(result["found"]["predictions"][""])
    labels = [5.0 - 4 * (n % 2) for n in range(20, 30)]
    assert len(set(predicted)) > 1  # numbers, and not one label for all
    expected = 100 * pearsonr(predicted, labels).statistic
    assert figures["STS-B, Pearson"]["value"] == pytest.approx(expected, abs=1e-3)
    assert "Always giving their mean gets 0.0" in figures["STS-B, Pearson"]["rule"]
    config = json.loads((run / "finetuned/stsb/seed-42/config.json").read_text("utf-8"))
    assert config["problem_type"] in (None, "regression") and len(config["id2label"]) == 1

    assert [figures[f"MNLI{part}, accuracy"]["over"].split()[0] for part in ("-m", "-mm")] == ["10", "15"]
    assert "5 of the texts have more than 32 tokens, and were cut." in figures["MNLI-m, accuracy"]["rule"]
    assert "were cut" not in figures["CoLA, accuracy"]["rule"]


@pytest.mark.long
def test_a_table_of_ones_own_as_json_lines(save, tmp_path):
    run = record(save(tmp_path / "run", "bert-tiny", 64, "wordpiece", "bert"), "run")
    for name, found in (("mood", rows(20)), ("asked", rows(9, 100))):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, found)), "utf-8")
    figures = finetune(
        run,
        train=tmp_path / "mood.jsonl",
        test=tmp_path / "asked.jsonl",
        seeds=[1],
        changes={"epochs": 1, "batch": 8},
    )
    assert [one["over"] for one in figures] == ["9 texts of the test part"] * 2


@pytest.mark.long
@pytest.mark.parametrize(("patience", "epochs"), [(None, 4), (1, 2)])
def test_the_best_epoch_is_kept(save, table, tmp_path, monkeypatch, patience, epochs):
    """The metric falls after the first epoch: all epochs are done, or so many as patience has; the first is kept."""
    values = iter([50.0, 40.0, 30.0, 20.0, 10.0])
    asked = []

    def falling(predicted, labels):
        asked.append(len(labels))
        return next(values)

    monkeypatch.setitem(train.METRICS, "accuracy", falling)
    loaded = load_model(save(tmp_path / "model", "bert-tiny", 64, "wordpiece", "bert"))
    settings = FinetuneSettings(epochs=4, batch=16, patience=patience)
    tuned = train_classifier(loaded, read_own(*table), settings, 1, tmp_path / "out")
    assert (tuned.best, tuned.epoch) == (50.0, 1.0) and asked == [9] * epochs + [30]


def test_the_defaults_are_babylms():
    """As scripts/eval_finetuning.sh and finetune/run.py of its pipeline of 2025 have them."""
    usual = FinetuneSettings()
    assert (usual.epochs, usual.batch, usual.learning_rate, usual.warmup) == (10, 32, 3e-5, 0.06)
    assert (usual.weight_decay, usual.length, usual.floor) == (0.01, 512, 0.1)
    assert {name: task.epochs for name, task in TASKS.items() if task.epochs} == {"wsc": 30}
    assert {name: task.batch for name, task in TASKS.items() if task.batch} == {"boolq": 16, "multirc": 16}
