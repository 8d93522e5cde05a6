"""A run, read from its folder: model, tokenizer, log, figures, page."""

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.frames import drawn, frame
from hornbook.loading import LoadedModel, load_model
from hornbook.recipe import Recipe, read_run_recipe
from hornbook.report.runs import RunRecord, Sample, read_run
from hornbook.training.log import read_log

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Run:
    """A run in its folder. Everything is read when it is first asked for."""

    folder: Path
    trust: bool = False
    """Whether code that lies in the folder may run: a class of one's own needs it."""

    @cached_property
    def recipe(self) -> Recipe:
        """The run's recipe, with every default worked out."""
        return read_run_recipe(self.folder, self.trust)

    @cached_property
    def loaded(self) -> LoadedModel:
        """The finished model, or else the newest checkpoint's, with all that Hornbook knows of it."""
        return load_model(self.folder, self.trust)

    @property
    def model(self) -> PreTrainedModel:
        """Hugging Face's own model, in evaluation mode."""
        return self.loaded.model

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Its tokenizer."""
        return self.loaded.tokenizer

    @property
    def log(self) -> "DataFrame":
        """The lines of `log.jsonl` so far, as a pandas frame: `kind` is train, evaluate or phase."""
        return frame(read_log(self.folder / "log.jsonl"))

    @property
    def record(self) -> RunRecord:
        """All facts in the folder. Raises HornbookError if it isn't a run's folder, or a file is damaged."""
        return read_run(self.folder)

    @property
    def figures(self) -> "DataFrame":
        """The measures: measure, value, unit, over, rule, comparable, low, high; no row before the evaluation."""
        return frame(asdict(one) for one in self.record.measures)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """What the model wrote about held-out text: kind, prompt, output."""
        return self.record.samples

    @property
    def page(self) -> Path:
        """The page that shows it all."""
        return self.folder / "page.html"

    def _repr_html_(self) -> str:
        """Draw it in a notebook: what it is, how far it came, and its figures."""
        try:
            run = self.record
        except HornbookError as error:
            return drawn(str(self.folder), [], [str(error)])
        last = f"step {run.last.step if run.last else 0:,} of {run.steps:,}"
        told = f"{run.preset or run.family}, {run.parameters:,} parameters, {run.objective}, on {run.corpus.name}"
        rows = [{"measure": one.measure, "value": one.value, "unit": one.unit} for one in run.measures]
        return drawn(run.name, rows, [f"{told}; {last}", f"Its folder: {self.folder}"])
