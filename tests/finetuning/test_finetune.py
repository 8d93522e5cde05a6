"""Classifiers are Hugging Face's, in plain folders; figures are kept, compared, and stand beside the majority's."""

import json
import sys

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

from hornbook.cli import main
from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.finetuning import finetune
from hornbook.finetuning.classifier import open_classifier
from hornbook.finetuning.reading import read_own
from hornbook.finetuning.settings import FinetuneSettings
from hornbook.finetuning.train import split_validation
from hornbook.loading import load_model
from hornbook.report import compare_table, read_run
from tests.evaluation.test_tasks import record

MODELS = [
    ("bert-tiny", "wordpiece", "bert"),
    ("tinystories-1m", "bpe", "shared"),
    ("t5-v1.1-tiny", "unigram", "t5"),
]
QUICK = {"epochs": 2, "learning_rate": 3e-3, "batch": 8}


@pytest.mark.long
@pytest.mark.parametrize(("preset", "kind", "style"), MODELS)
def test_the_folder_gives_the_same_predictions(save, tmp_path, table, preset, kind, style):
    run = record(save(tmp_path / "run", preset, 64, kind, style), "run")
    train, test = table
    figures = finetune(run, train=train, test=test, seeds=[1], changes=QUICK)
    assert [one["measure"] for one in figures] == ["mood, accuracy", "mood, macro F1"]
    assert figures[0]["baseline"] == pytest.approx(66.7, abs=0.1)
    assert "Always giving their most frequent label gets 66.7" in figures[0]["rule"]
    folder = run / "finetuned/mood/seed-1"
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    data = read_own(train, test)
    found = []
    for (text,) in data.tests[""].texts:  # one at a time, as a user would
        with torch.no_grad():
            found.append(float(model(**tokenizer(text, return_tensors="pt")).logits.argmax()))
    assert found == json.loads((folder / "result.json").read_text())["found"]["predictions"][""]
    assert model.config.id2label == {0: "happy", 1: "sad"}
    right = 100 * float((np.array(found) == data.tests[""].labels).mean())
    assert figures[0]["value"] == pytest.approx(right) and figures[0]["low"] <= right <= figures[0]["high"]


@pytest.mark.long
def test_what_is_done_is_kept_and_compared(save, tmp_path, table, monkeypatch, capsys):
    run = record(save(tmp_path / "run", "bert-tiny", 64, "wordpiece", "bert"), "run")
    train, test = map(str, table)
    command = ["finetune", str(run), "--train", train, "--test", test, "--seeds", "2", "--epochs", "1"]
    monkeypatch.setattr(sys, "argv", ["hornbook", *command])
    with pytest.raises(SystemExit):
        main()
    told = capsys.readouterr().out
    assert "mood, accuracy: " in told and "; the majority: 66.7, over 30 texts of the test part" in told
    results = sorted((run / "finetuned/mood").glob("seed-*/result.json"))
    assert [path.parent.name for path in results] == ["seed-42", "seed-43"]
    before = [path.stat().st_mtime_ns for path in results]
    again = finetune(run, train=table[0], test=table[1], seeds=[42, 43], changes={"epochs": 1})
    assert before == [path.stat().st_mtime_ns for path in results]
    row = compare_table([read_run(run)])[0]
    assert row["mood, accuracy (%)"] == again[0]["value"]
    with pytest.raises(
        HornbookError, match="holds a classifier of other settings: choose another folder with --out"
    ):
        finetune(run, train=table[0], test=table[1], seeds=[42], changes={"epochs": 2})
    assert before == [path.stat().st_mtime_ns for path in results]


@pytest.mark.long
def test_a_sample_of_the_texts_for_a_first_try(save, tmp_path, table):
    """It is told, and is never taken for the figure of all texts."""
    run = record(save(tmp_path / "run", "bert-tiny", 64, "wordpiece", "bert"), "run")
    train, test = table
    figures = finetune(run, train=train, test=test, seeds=[1], changes={"epochs": 1}, limit=20)
    assert figures[0]["over"] == "20 texts of the test part"
    assert "Trained on 20 texts, at most 20 drawn of each part." in figures[0]["rule"]
    drawn = read_own(train, test).sample(20)
    assert len(set(drawn.train.texts)) == 20 and set(drawn.train.labels) == {0, 1}
    assert drawn.train.texts == read_own(train, test).sample(20).train.texts
    with pytest.raises(HornbookError, match="holds a classifier of other data"):
        finetune(run, train=train, test=test, seeds=[1], changes={"epochs": 1})
    with pytest.raises(HornbookError, match="limit is 0: give at least 1"):
        finetune(run, train=train, test=test, limit=0)


def test_what_cannot_be_meant_is_refused_before_any_training(make, table, tmp_path):
    loaded = make("tinystories-1m")
    with pytest.raises(HornbookError, match="name either tasks, or one table to train on and one to test on"):
        finetune(loaded, ["sst2"], train=table[0], test=table[1])
    with pytest.raises(HornbookError, match="this is no run's folder, so say with --out"):
        finetune(loaded, train=table[0], test=table[1])
    with pytest.raises(HornbookError, match="did you mean 'cola'"):
        finetune(loaded, ["colla"], out=tmp_path)
    with pytest.raises(HornbookError, match=r"seeds are \[1, 1\]"):
        finetune(loaded, ["cola"], seeds=[1, 1], out=tmp_path)


def test_the_part_that_chooses_the_epoch_trains_nothing():
    learned, chosen = split_validation(95, 0.1)
    assert len(chosen) == 10 and sorted([*learned, *chosen]) == list(range(95))
    assert [part.tolist() for part in split_validation(2, 0.1)][1] in ([0], [1])
    with pytest.raises(HornbookError, match="there is 1 text to train on"):
        split_validation(1, 0.1)


@pytest.mark.slow
def test_a_plain_trainer_comes_to_the_same(make_tokenizer, tmp_path, table):
    """The same settings in a script of one's own, on the same texts: both learn the task, within the seeds' noise."""
    family, tokenizer, folder = (
        find("bert-tiny"),
        make_tokenizer("masked", 64, "wordpiece", "bert"),
        tmp_path / "model",
    )
    config = family.configure("bert-tiny", tokenizer, 64, family.tiny | {"initializer_range": 0.05})
    family.build(config, "masked", seed=1).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    data = read_own(*table)
    settings = FinetuneSettings(**{**QUICK, "epochs": 6, "learning_rate": 1e-2})
    ours = finetune(
        folder,
        train=table[0],
        test=table[1],
        changes={**QUICK, "epochs": 6, "learning_rate": 1e-2},
        out=tmp_path / "out",
    )
    learned, _ = split_validation(90, settings.validation)
    theirs = []
    for seed in (42, 43, 44):
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2)
        parts = [
            [
                {**tokenizer(text), "labels": int(label)}
                for (text,), label in zip(part.texts, part.labels, strict=True)
            ]
            for part in (data.train.of(learned), data.tests[""])
        ]
        arguments = TrainingArguments(
            str(tmp_path / f"plain-{seed}"),
            num_train_epochs=6,
            per_device_train_batch_size=8,
            learning_rate=1e-2,
            weight_decay=0.01,
            warmup_steps=0.06,
            lr_scheduler_type="cosine_with_min_lr",
            lr_scheduler_kwargs={"min_lr_rate": 0.1},
            seed=seed,
            report_to="none",
            save_strategy="no",
            use_cpu=True,
        )
        trainer = Trainer(
            model, arguments, train_dataset=parts[0], data_collator=DataCollatorWithPadding(tokenizer)
        )
        trainer.train()
        predicted = trainer.predict(parts[1]).predictions.argmax(-1)
        theirs.append(100 * float((predicted == data.tests[""].labels).mean()))
    noise = max(np.std(theirs, ddof=1), 100 / 30)
    assert abs(ours[0]["value"] - np.mean(theirs)) <= 3 * noise
    assert ours[0]["value"] > 85


def test_positions_that_no_classifier_has_are_told(save, tmp_path):
    loaded = load_model(save(tmp_path / "model", "bert-tiny", 64, "wordpiece", "bert", "rotary"))
    with pytest.raises(HornbookError, match=r"its positions are rotary, .* learned or sinusoidal"):
        open_classifier(loaded, ["sad", "happy"], 0)
