"""The training loop."""

import math
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from transformers import PreTrainedModel

from hornbook.atomic import beside
from hornbook.errors import Interrupted, SharedError
from hornbook.evaluation.heldout import heldout_batches
from hornbook.machine import Choice
from hornbook.objectives.batch_to_loss import LossModule, move
from hornbook.optimizers import OPTIMIZERS, step_optimizers
from hornbook.reporter import Reporter
from hornbook.rng import key
from hornbook.schedules import learning_rate
from hornbook.sealed import write_manifest
from hornbook.training.batches import Batches, load_batches
from hornbook.training.callbacks import Callback
from hornbook.training.checkpoints import Progress, save_checkpoint
from hornbook.training.interrupt import Signals, watch
from hornbook.training.phases import describe_phases, phase_of, plan_phases
from hornbook.training.prepare import PreparedRun, make_model
from hornbook.training.processes import Processes
from hornbook.training.rescue import rescue
from hornbook.training.sharing import share
from hornbook.training.sums import any_signal, sum_over
from hornbook.training.unlabelled import Unlabelled

_ENDS = 1 << 16
"""What `stop` gives where processes agree on a signal: above all signals' numbers, and modulo itself 0, no signal."""


class Loop:
    """A run's training, from its newest undamaged checkpoint, or from the first step, to its last step."""

    def __init__(
        self,
        run: PreparedRun,
        accelerator: Accelerator,
        precision: Choice,
        report: Reporter,
        callbacks: Sequence[Callback],
        processes: Processes | None = None,
    ) -> None:
        self.run, self.accelerator, self.report, self.callbacks = run, accelerator, report, callbacks
        self.processes = processes or Processes()
        self.recipe, self.training = run.recipe, run.recipe.training
        self.family, self.objective = self.recipe.model.family, self.recipe.objective
        self.phases = plan_phases(self.recipe, run.train)
        found = run.find_checkpoint(report.warn)
        self.progress = found.progress if found else Progress(self.training.steps if run.finished else 0)
        self.saved_step = found.progress.step if found else None
        begun = make_model(self.recipe, run.config, found.folder if found else None)
        self.model: PreTrainedModel = begun.to(accelerator.device)
        bf16 = precision.chosen == "bf16"
        self.loss_module = LossModule(self.family, self.objective, self.model, bf16)
        self.shared = share(self.loss_module, accelerator, self.recipe, trains=not run.finished)
        optimizer = OPTIMIZERS[self.training.optimizer]
        self.optimizers = optimizer.make(self.shared.model, self.training, self.family.matrices)
        if found:
            self.shared.restore(self.optimizers, found.optimizer())
        self._stopping, self._unlabelled = False, Unlabelled(report)

    @property
    def parameters(self) -> int:
        """Count the model's parameters, shared ones once."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def train(self) -> None:
        """Train to the last step and save the finished model.

        Raises Interrupted after Ctrl-C or SIGTERM, with everything saved, and HornbookError when the loss is not a
        number, with the last good checkpoint kept.
        """
        last, stopped_by = self.training.steps, 0
        if self.run.finished:
            steps = self.progress.step or last
            self.report.say(f"{self.recipe.name}: trained already, all {steps:,} steps")
        else:
            try:
                with self.processes.together():
                    self._tell("on_begin")
                stopped_by = self._train(self.progress.step, last)
            except BaseException:
                with suppress(OSError):  # it would hide the first error
                    self._tell("on_end")
                raise
            self._tell("on_end")
        self._leave_group()
        if stopped_by:
            raise Interrupted(
                f"{self.recipe.name}: stopped after step {self.progress.step:,} of {last:,}, saved; run the same "
                "command to go on",
                stopped_by,
            )
        if self.processes.first:  # the others have ended
            self._tell("on_finish")

    def stop(self, why: str) -> None:
        """End the training after this step, as if it were the last; any process may call it."""
        self._stopping = True
        self.report.say(f"{self.recipe.name}: ends after step {self.progress.step:,}: {why}")

    def _train(self, first: int, last: int) -> int:
        """Take the steps and save; return the number of the signal that stopped the training, or 0."""
        if first:
            self.report.say(f"Going on from step {first:,} of {last:,}")
        self.shared.begin()
        with watch() as signals:
            try:
                stopped_by = self._take_steps(signals, first, last)
            except OSError as error:  # the log's or a tracker's: only the first process writes files
                save = None if self.shared.sharded else self._save_checkpoint
                raise rescue(error, self.run.folder, self.progress.step, self.saved_step, save) from error
            self._save()
        if not stopped_by:
            self._finish()
        self.shared.end()
        return stopped_by

    def _take_steps(self, signals: Signals, first: int, last: int) -> int:
        """Take steps until the last one, or until a signal; return the signal's number, or 0."""
        began, logged, waited = time.perf_counter(), self.progress, 0.0
        for step, micro_batches in zip(range(first, last), self._load(first, last), strict=True):
            waited += time.perf_counter() - began
            if number := any_signal(self.accelerator, _ENDS if self._stopping else signals.received):
                return number % _ENDS
            phase = phase_of(self.phases, step)
            facts = self._step(step, micro_batches)
            now = time.perf_counter()
            self.progress = Progress(
                step + 1, self.progress.tokens + phase.tokens, self.progress.seconds + now - began
            )
            if facts and ((step + 1) % self.training.log_every == 0 or step + 1 == last):
                seconds = self.progress.seconds - logged.seconds
                facts |= asdict(self.progress)
                facts["tokens_per_second"] = (self.progress.tokens - logged.tokens) / seconds
                facts["data_share"] = waited / seconds
                logged, waited = self.progress, 0.0
                self._log("train", facts)
            if len(self.phases) > 1 and step + 1 == phase.last:
                self._end_phase(self.phases.index(phase))
            if self._due(self.training.evaluate_every) and (found := self._evaluate()):
                self._log("evaluate", asdict(self.progress) | found)
            if self._due(self.training.checkpoint_every):
                self._save()
            began = time.perf_counter()
        return 0

    def _load(self, first: int, last: int) -> Iterable[list[dict[str, Tensor]]]:
        """Load this process's share of some steps' batches, each as micro-batches."""
        accelerator = self.accelerator
        batches = Batches(
            self.run.train,
            self.phases,
            self.objective,
            self.run.vocabulary,
            self.training.accumulate,
            accelerator.process_index,
            accelerator.num_processes,
        )
        pin = accelerator.device.type == "cuda"
        return load_batches(batches, first, last, self.training.workers, pin)

    def _step(self, step: int, micro_batches: list[dict[str, Tensor]]) -> dict[str, float]:
        """Take one step; its random numbers depend on (seed, step) alone. Give no figures where labels lack."""
        torch.manual_seed(key(self.recipe.seed, "dropout", step, self.accelerator.process_index))
        self.shared.module.train()
        counted = torch.stack([self.objective.counts(one) for one in micro_batches]).sum(0)
        labels = sum_over(self.accelerator, counted)
        labelled = self._unlabelled.all_there(step + 1, labels)
        if not labels.any():
            return {}
        counts = labels.clamp(min=1)
        # Distributed wrappers average gradients over processes; here they must be averaged over labels.
        scale = self._term_weights * self.accelerator.num_processes / counts
        total = torch.zeros(len(counts), dtype=torch.float64)
        for number, micro_batch in enumerate(micro_batches, 1):
            with self.shared.summing(more=number < len(micro_batches)):
                sums, _ = self.shared.module(move(micro_batch, self.accelerator.device))
                self.accelerator.backward((sums * scale.to(sums)).sum())
            total += sums.detach().cpu()
        facts = self._facts(sum_over(self.accelerator, total), counts)
        mean = facts["loss"]
        norm = float(self.shared.clip(self.training.clip))
        if not (math.isfinite(mean) and math.isfinite(norm)):
            raise SharedError(
                f"step {step + 1}: the loss is {mean} and the gradient's length {norm}; the last good checkpoint, of "
                f"step {self.saved_step or 0}, is kept: try a lower training.learning_rate than "
                f"{self.training.learning_rate} or a longer training.warmup than {self.training.warmup_steps}"
            )
        rate = learning_rate(self.training, step)
        step_optimizers(self.optimizers, rate)
        return facts | {"learning_rate": rate, "gradient_norm": norm} if labelled else {}

    def _facts(self, sums: Tensor, counts: Tensor) -> dict[str, float]:
        """Compute the loss from the sums and counts of all processes, and its terms if there are several."""
        means = sums / counts
        terms = dict(zip(self.objective.terms, means.tolist(), strict=True))
        return {"loss": float((means * self._term_weights).sum())} | (terms if len(terms) > 1 else {})

    @property
    def _term_weights(self) -> Tensor:
        return torch.tensor(list(self.objective.terms.values()), dtype=torch.float64)

    @torch.no_grad()
    def _evaluate(self) -> dict[str, float]:
        """Compute the held-out loss, in nats a label, and for a causal objective an estimate of bits per byte.

        Sequences always have the model's length, whatever the phase, so that all held-out losses of a run compare.
        Processes may have different numbers of batches, so they use the loss module that isn't wrapped.
        """
        self.loss_module.eval()
        total, labels = torch.zeros(2, len(self.objective.terms), dtype=torch.float64)
        run, length = self.run, self.recipe.model.length
        size = self.training.evaluate_windows, self.training.batch
        batches = heldout_batches(run.heldout, self.objective, run.vocabulary, length, *size)
        with self.shared.gathered():
            for number, batch in enumerate(batches):
                if number % self.accelerator.num_processes == self.accelerator.process_index:
                    sums, counts = self.loss_module(move(batch, self.accelerator.device))
                    total, labels = total + sums.cpu(), labels + counts.cpu()
        labels = sum_over(self.accelerator, labels)
        if not self._unlabelled.all_there(self.progress.step, labels, evaluates=True):
            return {}
        facts = self._facts(sum_over(self.accelerator, total), labels)
        if self.objective.whole_text:
            text = self.run.heldout.counts()
            facts["bits_per_byte"] = facts["loss"] / math.log(2) * text["tokens"] / text["bytes"]
        return facts

    def _end_phase(self, number: int) -> None:
        """Log what a phase trained, and announce the next one."""
        told = describe_phases(self.recipe, self.run.config)[number]
        self._log("phase", asdict(self.progress) | {"phase": number + 1} | told)
        if number + 1 < len(self.phases):
            following = self.phases[number + 1]
            self.report.say(
                f"{self.recipe.name}: from step {following.plan.first + 1:,} on sequences of {following.length:,} "
                f"tokens, {following.plan.batch:,} in a step"
            )

    def _save(self) -> None:
        """Save a checkpoint of the last step, unless it is already saved."""
        with self.processes.together():
            if self.saved_step != self.progress.step:
                with self.shared.gathered():
                    self._save_checkpoint()
                    if self.processes.first:
                        self._tell("on_save")
        self.saved_step = self.progress.step

    def _save_checkpoint(self) -> None:
        """Let the first process save."""
        state = self.shared.state(self.optimizers)
        if self.processes.first:
            save_checkpoint(
                self.run.checkpoints,
                self.progress,
                lambda folder: self.run.save(folder, self.model, course=True),
                state,
                self.training.keep,
            )

    def _finish(self) -> None:
        """Save the finished model."""
        with self.processes.together(), self.shared.gathered():
            if self.processes.first:
                with beside(self.run.model, folder=True) as folder:
                    self.run.save(folder, self.model)
                    write_manifest(folder)

    def _leave_group(self) -> None:
        """Leave the group of processes; the first one does the rest of the run alone."""
        self.optimizers = []  # parts of a model hold the group
        self.processes.part()

    def _due(self, chosen: int | None) -> bool:
        """Tell whether something that happens every `chosen` steps is due after this step; after the last, all is."""
        step, last = self.progress.step, self.training.steps
        return step % self.training.every(chosen) == 0 or step == last

    def _log(self, kind: str, facts: dict[str, Any]) -> None:
        """Tell figures, while the model has its weights."""
        with self.shared.gathered():
            self._tell("on_log", kind, facts)

    def _tell(self, event: str, *facts: Any) -> None:
        """Call every callback that listens in this process."""
        for callback in self.callbacks:
            if callback.everywhere or self.processes.first:
                getattr(callback, event)(self, *facts)
