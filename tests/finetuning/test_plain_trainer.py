"""MRPC as published, by Hornbook and by a script with the same settings: seed by seed, the same classifier."""

import json

import numpy as np
import pytest
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

from hornbook.finetuning import finetune
from hornbook.finetuning.reading import read_task
from hornbook.finetuning.tasks import TASKS
from hornbook.finetuning.train import split_validation

SEEDS = (42, 43)
LIMIT = 300
CHANGES = {"epochs": 3, "batch": 16, "learning_rate": 3e-3}


def f1(predicted, labels):
    hits = ((predicted == 1) & (labels == 1)).sum()
    return 200 * hits / ((predicted == 1).sum() + (labels == 1).sum())


def encode(tokenizer, texts, labels):
    columns = [list(column) for column in zip(*texts, strict=True)]
    encoded = tokenizer(*columns, truncation=True, max_length=64)
    return [
        {name: encoded[name][row] for name in encoded} | {"labels": int(label)}
        for row, label in enumerate(labels)
    ]


def plainly(folder, out, seed, parts):
    """Fine-tune with the Trainer alone, and keep the epoch with the best F1 on the middle part."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    set_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2)
    learned, chosen, asked = (encode(tokenizer, *part) for part in parts)
    arguments = TrainingArguments(
        str(out),
        num_train_epochs=3,
        per_device_train_batch_size=16,
        per_device_eval_batch_size=64,
        learning_rate=3e-3,
        weight_decay=0.01,
        warmup_steps=0.06,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": 0.1},
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        metric_for_best_model="f1",
        seed=seed,
        report_to="none",
        use_cpu=True,
    )
    trainer = Trainer(
        model,
        arguments,
        train_dataset=learned,
        eval_dataset=chosen,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=lambda one: {"f1": f1(one.predictions.argmax(-1), one.label_ids)},
    )
    trainer.train()
    return trainer, asked


@pytest.mark.slow
def test_mrpc_is_that_of_a_plain_trainer(save, data, tmp_path):
    """A model as small as this one tells no paraphrases; so logits are compared, which differ from text to text."""
    folder = save(tmp_path / "model", "bert-tiny", 64, "wordpiece", "bert")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    # Hornbook draws dropout in its own way.
    without = dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob"), 0.0)
    (folder / "config.json").write_text(json.dumps(config | without), "utf-8")
    files = data / "evaluation" / "glue"
    figures = finetune(
        folder, "mrpc", data=files, seeds=SEEDS, changes=CHANGES, limit=LIMIT, out=tmp_path / "out"
    )
    task = read_task(TASKS["mrpc"], files).sample(LIMIT)
    places = split_validation(len(task.train.texts), 0.1)
    (test,) = task.tests.values()
    parts = [*(task.train.of(one) for one in places), test]
    given = [(part.texts, part.labels) for part in parts]
    accuracies, differences, spreads = [], [], []
    for seed in SEEDS:
        trainer, asked = plainly(folder, tmp_path / f"plain-{seed}", seed, given)
        expected = trainer.predict(asked).predictions
        # Not weights: that of a key's bias has no gradient but its rounding, and Adam follows it.
        ours = AutoModelForSequenceClassification.from_pretrained(
            tmp_path / f"out/finetuned/mrpc/seed-{seed}"
        )
        again = Trainer(ours, trainer.args, trainer.data_collator, eval_dataset=asked)
        found = again.predict(asked).predictions
        differences.append(float(np.abs(found - expected).max()))
        kept = json.loads((tmp_path / f"out/finetuned/mrpc/seed-{seed}/result.json").read_text())["found"]
        same = np.array(kept["predictions"][""]) == expected.argmax(-1)
        assert same.mean() > 0.99
        accuracies.append(100 * float((expected.argmax(-1) == test.labels).mean()))
        spreads.append(float(expected[:, 1].std()))  # over texts
    accuracy = next(one for one in figures if one["measure"] == "MRPC, accuracy")
    assert accuracy["value"] == pytest.approx(np.mean(accuracies), abs=1)
    assert max(differences) < 0.01 * min(spreads)
