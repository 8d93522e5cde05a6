"""Hugging Face's Trainer, as a careful user sets it: `run_mlm`, `run_clm`, and for T5 a port of the Flax example's
collator."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    default_data_collator,
)

from benchmarks.speed.cases import FOREVER, SHARED_TRAINING
from benchmarks.speed.contenders.contender import Learned, Task
from benchmarks.speed.contenders.t5_collator import T5Collator
from benchmarks.speed.gate import Gate
from hornbook.objectives.masked import Masked
from hornbook.objectives.span_corruption import SpanCorruption

_MODELS = {"causal": AutoModelForCausalLM, "masked": AutoModelForMaskedLM, "seq2seq": AutoModelForSeq2SeqLM}
_TRIAL = 4
"""Steps after which the time of a step is known."""


class Gated(TrainerCallback):
    """Passes the gate after each step."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Wait for the first order."""
        self._gate.passed(0)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Pass."""
        self._gate.passed(state.global_step)


class Clock(TrainerCallback):
    """Notes when training began and when each step was done."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note the beginning."""
        self.times.append(time.perf_counter())

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note a step's end."""
        self.times.append(time.perf_counter())


class HuggingFace:
    """The stock class, the stock Trainer, bf16 where the machine has units for it, fused AdamW."""

    def __init__(self, task: Task) -> None:
        self.task, self.material, self.case = task, task.material, task.material.case
        self.config = AutoConfig.from_pretrained(self.material.weights)
        self.tokenizer = AutoTokenizer.from_pretrained(self.material.folder / "tokenizer")
        self.objective = self.material.recipe("none").objective
        self.auto = _MODELS[self.objective.head]

    @property
    def attention(self) -> str:
        """The fastest attention that the class has without further packages."""
        kind = self.auto._model_mapping[type(self.config)]
        return "sdpa" if kind._supports_sdpa else "eager"

    def about(self) -> dict[str, Any]:
        """Tell precision, optimizer and attention."""
        precision = "bf16" if self.task.bf16 else "fp32"
        return {"precision": precision, "optimizer": "AdamW, fused", "attention": self.attention}

    def check(self) -> float | None:
        """Let the Trainer compute the loss, outside its autocast."""
        model = self.auto.from_pretrained(self.material.weights, attn_implementation=self.attention).eval()
        trainer = self._trainer(model.to(self.task.device), steps=1, out="check")
        with torch.no_grad():
            return float(trainer.compute_loss(model, self.task.batch()))

    def train(self, gate: Gate) -> None:
        """Train very many steps."""
        self._trainer(self._new(), FOREVER, "timed", Gated(gate)).train()

    def learn(self, seconds: float, out: Path) -> Learned:
        """Train with the Trainer's own schedule, linear, the steps chosen to fit the time."""
        trial = Clock()
        self._trainer(self._new(), _TRIAL, "trial", trial).train()
        steps = max(2, round(seconds * (_TRIAL - 1) / (trial.times[-1] - trial.times[1])))
        clock = Clock()
        trainer = self._trainer(
            self._new(), steps, out.name, clock, lr_scheduler_type="linear", warmup_steps=0.05
        )
        trainer.train()
        trainer.save_model(str(out))
        return Learned(out, clock.times[-1] - clock.times[0], steps, steps * self.case.tokens)

    def _new(self) -> PreTrainedModel:
        torch.manual_seed(0)
        return self.auto.from_config(self.config, attn_implementation=self.attention)

    def _trainer(
        self,
        model: PreTrainedModel,
        steps: int,
        out: str,
        callback: TrainerCallback | None = None,
        **changes: Any,
    ) -> Trainer:
        """Set the Trainer up: AdamW as in Hornbook's table, nothing saved, evaluated or reported."""
        settings = {
            "learning_rate": SHARED_TRAINING["learning_rate"],
            "lr_scheduler_type": SHARED_TRAINING["schedule"],
            "warmup_steps": SHARED_TRAINING["warmup"],
            "weight_decay": SHARED_TRAINING["weight_decay"],
            "max_grad_norm": SHARED_TRAINING["clip"],
            "adam_epsilon": SHARED_TRAINING["epsilon"],
            **dict(zip(("adam_beta1", "adam_beta2"), SHARED_TRAINING["betas"], strict=True)),
            **changes,
        }
        arguments = TrainingArguments(
            output_dir=str(self.material.folder / "runs" / f"trainer-{out}"),
            per_device_train_batch_size=self.case.batch,
            max_steps=steps,
            bf16=self.task.bf16,
            optim="adamw_torch_fused",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=self.task.device.type == "cpu",
            dataloader_pin_memory=self.task.device.type == "cuda",
            **settings,
        )
        return Trainer(
            model,
            arguments,
            train_dataset=datasets.load_from_disk(str(self.material.rows)),
            data_collator=self._collator(),
            processing_class=self.tokenizer,
            callbacks=[callback] if callback else [],
        )

    def _collator(self) -> Callable[[list[dict[str, Any]]], dict[str, torch.Tensor]]:
        if isinstance(self.objective, Masked):
            return DataCollatorForLanguageModeling(self.tokenizer, mlm_probability=self.objective.rate)
        if isinstance(self.objective, SpanCorruption):
            return T5Collator(self.tokenizer, self.objective.density, self.objective.mean_span)
        return default_data_collator


def make(task: Task) -> HuggingFace:
    """Make it."""
    return HuggingFace(task)
