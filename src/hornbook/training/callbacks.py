"""What listens to a training: the log, the progress, the trackers, early stopping, and whatever a user adds."""

from contextlib import ExitStack
from typing import Any, Protocol

from accelerate import Accelerator
from transformers import PreTrainedModel

from hornbook.errors import HornbookError
from hornbook.quiet import quiet_tensorboard
from hornbook.reporter import LOGGER, Reporter
from hornbook.training.checkpoints import Progress
from hornbook.training.log import Log, read_log
from hornbook.training.prepare import PreparedRun


class TrainingLoop(Protocol):
    """What a callback may use of a training."""

    run: PreparedRun
    """Recipe, tokenizer, tokens and folder."""
    model: PreTrainedModel
    accelerator: Accelerator
    progress: Progress
    """Steps, tokens and seconds so far."""

    def stop(self, why: str) -> None:
        """End the training after this step, as if it were the last."""


class Callback:
    """Is called at the events of a training; a subclass overrides the methods that it needs.

    A callback never changes what is learned, except by `loop.stop`.
    """

    everywhere = False
    """Whether all of several processes call it; by default only the first does."""

    def on_begin(self, loop: TrainingLoop) -> None:
        """Called before the first step, and before the first step after a resume."""

    def on_log(self, loop: TrainingLoop, kind: str, facts: dict[str, Any]) -> None:
        """Called with figures; `kind` is train (each `training.log_every` steps), evaluate (held-out loss) or phase."""

    def on_save(self, loop: TrainingLoop) -> None:
        """Called when this step's checkpoint is complete."""

    def on_end(self, loop: TrainingLoop) -> None:
        """Called after the last step: the training is finished, was stopped, or failed."""

    def on_finish(self, loop: TrainingLoop) -> None:
        """Called when the finished model is in its folder, even if an earlier run put it there."""


class LogFile(Callback):
    """Writes `log.jsonl`."""

    def on_begin(self, loop: TrainingLoop) -> None:
        """Open the log, and drop the lines of steps that will be taken again."""
        self.log = Log(loop.run.folder / "log.jsonl", loop.progress.step, LOGGER.warning)

    def on_log(self, loop: TrainingLoop, kind: str, facts: dict[str, Any]) -> None:
        """Add a line."""
        self.log.write(kind, facts)


class ProgressBar(Callback):
    """Shows step, loss and speed."""

    def __init__(self, report: Reporter) -> None:
        self.report, self._open = report, ExitStack()

    def on_begin(self, loop: TrainingLoop) -> None:
        """Show the bar."""
        recipe = loop.run.recipe
        steps = self.report.steps(recipe.name, loop.progress.step, recipe.training.steps)
        self._reach = self._open.enter_context(steps)

    def on_log(self, loop: TrainingLoop, kind: str, facts: dict[str, Any]) -> None:
        """Move the bar."""
        if kind == "train":
            speed, share = facts["tokens_per_second"], facts["data_share"]
            self._reach(facts["step"], f"loss {facts['loss']:.3f}  {speed:,.0f} tokens/s  data {share:.1%}")

    def on_end(self, loop: TrainingLoop) -> None:
        """Remove the bar."""
        self._open.close()


class Trackers(Callback):
    """Passes the figures on to the trackers of the recipe, such as TensorBoard or Weights and Biases."""

    everywhere = True  # Accelerate decides which process writes

    def on_begin(self, loop: TrainingLoop) -> None:
        """Open the trackers."""
        self._open = ExitStack()
        self._open.enter_context(quiet_tensorboard())
        loop.accelerator.init_trackers("hornbook")

    def on_log(self, loop: TrainingLoop, kind: str, facts: dict[str, Any]) -> None:
        """Pass figures on, except those of a phase, which make no curve."""
        if kind != "phase":
            named = {f"{kind}/{name}": value for name, value in facts.items() if name != "step"}
            loop.accelerator.log(named, step=loop.progress.step)

    def on_end(self, loop: TrainingLoop) -> None:
        """Close the trackers."""
        with self._open:
            for tracker in loop.accelerator.trackers:
                tracker.finish()


class EarlyStopping(Callback):
    """Ends a training when the held-out `monitor` has not fallen by more than `min_delta` for `patience` evaluations.

    The model of the last step is kept. A resumed training reads the earlier evaluations from the log, so that it ends
    at the very same step.
    """

    def __init__(self, patience: int = 3, min_delta: float = 0.0, monitor: str = "loss") -> None:
        if patience < 1:
            raise HornbookError(f"patience is {patience} evaluations; it must be at least 1")
        self.patience, self.min_delta, self.monitor = patience, min_delta, monitor

    def on_begin(self, loop: TrainingLoop) -> None:
        """Read the earlier evaluations."""
        self._best, self._waited = float("inf"), 0
        for line in read_log(loop.run.folder / "log.jsonl"):
            if line["kind"] == "evaluate":
                self._look(line)
        self._stop_if_due(loop)  # cut off between the last evaluation and the end

    def on_log(self, loop: TrainingLoop, kind: str, facts: dict[str, Any]) -> None:
        """Look at each evaluation."""
        if kind == "evaluate":
            self._look(facts)
            self._stop_if_due(loop)

    def _stop_if_due(self, loop: TrainingLoop) -> None:
        if self._waited >= self.patience:
            loop.stop(
                f"for {self._waited} evaluations the held-out {self.monitor} has not fallen by more than "
                f"{self.min_delta:g} below its best, {self._best:.4f}"
            )

    def _look(self, facts: dict[str, Any]) -> None:
        if self.monitor not in facts:
            raise HornbookError(
                f"early stopping watches {self.monitor!r}, which no evaluation gives: choose one of "
                f"{', '.join(sorted(facts.keys() - {'kind', 'step', 'tokens', 'seconds'}))}"
            )
        value = facts[self.monitor]
        better = value < self._best - self.min_delta
        self._best, self._waited = (value, 0) if better else (self._best, self._waited + 1)
