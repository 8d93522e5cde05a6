"""A task of GLUE by `hornbook finetune` and by a plain script with the Trainer: the same within the seeds' noise.

    python -m benchmarks.glue_by_a_plain_trainer FOLDER --data GLUE --task sst2 --texts 3000 --epochs 3

FOLDER is a model's or a run's, GLUE holds SST-2/train.tsv and so on. Both train on the same texts with the same
settings, and keep the epoch that is best on the same tenth of them. The script is written from the Trainer's
documentation, and shares no code with Hornbook but the reading of the files.
"""

import argparse
from pathlib import Path
from statistics import fmean, stdev
from tempfile import TemporaryDirectory

import numpy as np
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

from hornbook.evaluation.intervals import wilson
from hornbook.finetuning import finetune
from hornbook.finetuning.reading import TaskData, read_task
from hornbook.finetuning.settings import FinetuneSettings
from hornbook.finetuning.tasks import find_task
from hornbook.finetuning.train import split_validation
from hornbook.loading import load_model
from hornbook.quiet import quieten_transformers


def plain(
    folder: Path, data: TaskData, seed: int, settings: FinetuneSettings, length: int, out: str
) -> float:
    """Fine-tune as a script does, and give the accuracy on the reported part."""
    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=len(data.names))
    causal = "CausalLM" in str(model.config.architectures)
    model.config.pad_token_id = tokenizer.pad_token_id

    def encode(part: object) -> list[dict[str, object]]:
        rows = []
        for texts, label in zip(part.texts, part.labels, strict=True):
            if causal:  # each text ends with the end token
                ids = [
                    one for text in texts for one in [*tokenizer(text)["input_ids"], tokenizer.eos_token_id]
                ]
                encoded = {"input_ids": ids[:length]}
            else:
                encoded = dict(tokenizer(*texts, truncation=True, max_length=length))
            rows.append({**encoded, "labels": int(label)})
        return rows

    learned, chosen = split_validation(len(data.train.texts), settings.validation)
    (reported,) = data.tests.values()
    trainer = Trainer(
        model,
        TrainingArguments(
            out,
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch,
            learning_rate=settings.learning_rate,
            warmup_steps=settings.warmup,
            weight_decay=settings.weight_decay,
            lr_scheduler_type="cosine_with_min_lr",
            lr_scheduler_kwargs={"min_lr_rate": settings.floor},
            eval_strategy="epoch",
            save_strategy="epoch",
            save_total_limit=1,
            load_best_model_at_end=True,
            metric_for_best_model="accuracy",
            greater_is_better=True,
            report_to="none",
            disable_tqdm=True,
            seed=seed,
            use_cpu=True,
        ),
        train_dataset=encode(data.train.of(learned)),
        eval_dataset=encode(data.train.of(chosen)),
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=lambda one: {"accuracy": float((one.predictions.argmax(-1) == one.label_ids).mean())},
    )
    trainer.train()
    predicted = trainer.predict(encode(reported)).predictions.argmax(-1)
    return 100 * float((predicted == reported.labels).mean())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", default="sst2")
    parser.add_argument("--texts", type=int)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    quieten_transformers()
    torch.set_num_threads(given.threads)
    task, changes = find_task(given.task), {"epochs": given.epochs, "learning_rate": given.learning_rate}
    loaded = load_model(given.folder)
    with TemporaryDirectory() as made:
        tables = Path(made) / task.folder
        tables.mkdir()
        for part, most in (("train", given.texts), ("dev", None)):
            lines = (given.data / task.folder / f"{part}.tsv").read_text("utf-8").splitlines(keepends=True)
            head = 0 if task.columns else 1
            tables.joinpath(f"{part}.tsv").write_text("".join(lines[: None if most is None else most + head]))
        data = read_task(task, Path(made))
        seeds = range(42, 42 + given.seeds)
        settings = FinetuneSettings(**changes)
        theirs = [
            plain(loaded.folder, data, seed, settings, loaded.length, f"{made}/plain-{seed}")
            for seed in seeds
        ]
        (reported,) = data.tests.values()
        ours = []
        for seed in seeds:
            figures = finetune(
                loaded,
                [given.task],
                data=Path(made),
                seeds=[seed],
                changes=changes,
                out=Path(made) / str(seed),
            )
            ours += [one["value"] for one in figures if one["measure"].endswith("accuracy")]
    share = np.mean(theirs) / 100
    low, high = wilson(share, len(reported.labels))
    noise = (stdev(ours) ** 2 / len(ours) + stdev(theirs) ** 2 / len(theirs)) ** 0.5
    for name, found in (("hornbook finetune", ours), ("a plain Trainer", theirs)):
        each = ", ".join(f"{one:.1f}" for one in found)
        print(f"{name}: {fmean(found):.1f} % ({each}), deviation over seeds {stdev(found):.1f}")
    print(
        f"difference {fmean(ours) - fmean(theirs):+.1f}, its standard error over seeds {noise:.1f}; "
        f"{len(data.train.texts):,} texts to train on, {len(reported.labels):,} reported (95 % of a share: "
        f"{100 * low:.1f} to {100 * high:.1f})"
    )


if __name__ == "__main__":
    main()
