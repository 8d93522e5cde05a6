"""Fine-tune one classifier with one seed: Hugging Face's Trainer, and the best epoch on texts that train nothing."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import (
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from hornbook.errors import HornbookError
from hornbook.finetuning.classifier import frame_texts, open_classifier, save_classifier
from hornbook.finetuning.metrics import METRICS
from hornbook.finetuning.reading import Examples, TaskData
from hornbook.finetuning.settings import FinetuneSettings
from hornbook.loading import LoadedModel
from hornbook.quiet import quiet


@dataclass(frozen=True)
class Tuned:
    """What one seed came to."""

    predictions: dict[str, list[float]]
    """For each test part, the number of each text's label, or the number itself."""
    best: float
    """The metric on the validation texts in the best epoch."""
    epoch: float
    """The epoch that was kept."""


def split_validation(count: int, share: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Choose the places of texts to train on and of those to choose the epoch on, the same for all models and seeds.

    Raises HornbookError where there are too few texts for both.
    """
    if count < 2:
        raise HornbookError(
            f"there is {count} text to train on, and some are needed to choose the epoch on: give more"
        )
    order = np.random.default_rng(0).permutation(count)
    kept = min(max(1, round(count * share)), count - 1)
    return np.sort(order[kept:]), np.sort(order[:kept])


def train_classifier(
    loaded: LoadedModel,
    data: TaskData,
    settings: FinetuneSettings,
    seed: int,
    folder: Path,
    progress: Callable[[float], None] | None = None,
) -> Tuned:
    """Fine-tune, write the best epoch's model into `folder`, and predict the test parts' labels."""
    metric = METRICS[data.task.metrics[0]]
    model, tokenizer = open_classifier(loaded, data.names, seed), frame_texts(loaded)
    learned, chosen = split_validation(len(data.train.texts), settings.validation)

    def measure(outcome: Any) -> dict[str, float]:
        return {"metric": metric(_decide(outcome.predictions, data), outcome.label_ids.astype(float))}

    with TemporaryDirectory(dir=folder.parent) as temporary, quiet():
        trainer = Trainer(
            model,
            TrainingArguments(
                temporary,
                num_train_epochs=settings.epochs,
                per_device_train_batch_size=settings.batch,
                per_device_eval_batch_size=64,
                learning_rate=settings.learning_rate,
                warmup_steps=settings.warmup,  # below 1, a share
                lr_scheduler_type="cosine_with_min_lr",
                lr_scheduler_kwargs={"min_lr_rate": settings.floor},
                weight_decay=settings.weight_decay,
                eval_strategy="epoch",
                save_strategy="epoch",
                save_total_limit=1,
                save_only_model=True,
                load_best_model_at_end=True,
                metric_for_best_model="metric",
                greater_is_better=True,
                logging_strategy="no",
                report_to="none",
                disable_tqdm=True,
                seed=seed,
                use_cpu=loaded.model.device.type == "cpu",
                dataloader_pin_memory=loaded.model.device.type != "cpu",
            ),
            data_collator=DataCollatorWithPadding(tokenizer),
            train_dataset=encode(loaded, tokenizer, data.train.of(learned), settings, data.task.numbers),
            eval_dataset=encode(loaded, tokenizer, data.train.of(chosen), settings, data.task.numbers),
            compute_metrics=measure,
            preprocess_logits_for_metrics=_logits_alone,
            callbacks=[_Told(progress)]
            + ([EarlyStoppingCallback(settings.patience)] if settings.patience is not None else []),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        predictions = {
            name: _decide(
                trainer.predict(encode(loaded, tokenizer, part, settings, data.task.numbers)).predictions,
                data,
            ).tolist()
            for name, part in data.tests.items()
        }
        save_classifier(trainer.model, tokenizer, folder)
        state = trainer.state
    steps = max(1, state.max_steps)
    return Tuned(predictions, float(state.best_metric), settings.epochs * state.best_global_step / steps)


def encode(
    loaded: LoadedModel,
    tokenizer: PreTrainedTokenizerBase,
    part: Examples,
    settings: FinetuneSettings,
    numbers: bool,
) -> list[dict[str, Any]]:
    """Encode texts as the tokenizer frames them, the longer of two cut first; no text is a special token."""
    columns = [list(texts) for texts in zip(*part.texts, strict=True)]
    encoded = tokenizer(
        *columns, truncation=True, max_length=min(settings.length, loaded.length), split_special_tokens=True
    )
    names = [name for name in tokenizer.model_input_names if name in loaded.family.inputs]
    labels = part.labels.tolist() if numbers else part.labels.astype(int).tolist()
    return [
        {name: encoded[name][row] for name in names} | {"labels": label} for row, label in enumerate(labels)
    ]


def _decide(logits: npt.NDArray[np.float32], data: TaskData) -> npt.NDArray[np.float64]:
    """Give the number of the likeliest label, or the number itself."""
    return (logits[:, 0] if data.task.numbers else logits.argmax(-1)).astype(np.float64)


def _logits_alone(logits: Any, labels: Any) -> torch.Tensor:
    """Leave out what some classes give beside the logits."""
    found: torch.Tensor = logits[0] if isinstance(logits, tuple) else logits
    return found


class _Told(TrainerCallback):
    """Passes on how far the training is."""

    def __init__(self, progress: Callable[[float], None] | None) -> None:
        self.progress = progress

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Tell the share of steps that are done."""
        if self.progress:
            self.progress(state.global_step / max(1, state.max_steps))


def plain(tuned: Tuned) -> dict[str, Any]:
    """Give what came out as plain values."""
    return asdict(tuned)
