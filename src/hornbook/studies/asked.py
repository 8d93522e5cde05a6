"""The measures that a study names: what each run is asked at its end, beside the study's own figures."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import Field, field_validator, model_validator

from hornbook.errors import HornbookError, nearest
from hornbook.evaluation.measure import Figure, Heldout, figure
from hornbook.evaluation.measures import MEASURES
from hornbook.evaluation.minimal_pairs import SUITES, read_suite
from hornbook.evaluation.tasks import evaluate_tasks
from hornbook.finetuning import finetune
from hornbook.finetuning.groups import GROUPS, expand
from hornbook.finetuning.reading import read_task
from hornbook.finetuning.tasks import TASKS as LABELLED
from hornbook.finetuning.tasks import find_task
from hornbook.loading import LoadedModel
from hornbook.recipe import Recipe
from hornbook.reporter import Reporter
from hornbook.section import Section
from hornbook.studies.memory import check_memory
from hornbook.training.prepare import prepare

SPEED, MEMORY = "tokens_per_second", "peak_memory"


class AskedMeasure(Section):
    """A measure by its name: what a run is asked when it is trained."""

    name: str
    """One of Hornbook's measures (bits_per_byte), minimal pairs (blimp), a task to fine-tune on (cola) or the mean of
    several (glue), a task of lm-evaluation-harness, tokens_per_second or peak_memory."""
    data: Path | None = None
    """A folder with a task's files; the study's by default, and without any the hub is asked."""
    limit: int | None = Field(None, ge=1, le=10**12)
    """The most questions, from the first on, or the most pairs of each paradigm; in a fine-tuning, the most texts that
    are drawn from each part."""
    rule: str | None = None
    """How minimal pairs are scored."""
    seeds: int = Field(3, ge=1, le=10**4)
    """How many classifiers are fine-tuned on each run."""
    epochs: int | None = Field(None, ge=1, le=10**6)
    """Epochs of a fine-tuning; as published by default."""
    learning_rate: float | None = Field(None, gt=0, le=1)
    """The highest learning rate of a fine-tuning; as published by default, which is for models a hundred times as large
    as those of a few minutes."""
    tasks: tuple[str, ...] = ()
    """Which tasks of a group such as glue; all of them by default."""

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        known = [*MEASURES, SPEED, MEMORY, *SUITES, *LABELLED, *GROUPS]
        if name not in known:
            from hornbook.evaluation.harness_tasks import find_harness_tasks

            try:
                find_harness_tasks([name], known)
            except HornbookError as error:
                raise ValueError(str(error)) from error
        return name

    @model_validator(mode="after")
    def _suits(self) -> "AskedMeasure":
        """Refuse an option that would change nothing."""
        of_tasks, of_tuning = {"data", "limit"}, {"data", "limit", "seeds", "epochs", "learning_rate"}
        if self.name in LABELLED:
            allowed = of_tuning
        elif self.name in GROUPS:
            allowed = of_tuning | {"tasks"}
            if strange := [one for one in self.tasks if one not in GROUPS[self.name].counted]:
                raise ValueError(
                    f"{self.name} has no task {strange[0]!r}{nearest(strange[0], list(GROUPS[self.name].counted))}"
                )
        elif self.name in SUITES:
            allowed = of_tasks | {"rule"}
        else:
            allowed = of_tasks if self.reads_files else set()
        if extra := sorted(self.model_fields_set - allowed - {"name"}):
            takes = f"; it takes {', '.join(sorted(allowed))}" if allowed else ""
            raise ValueError(f"{self.name} has no {' and no '.join(extra)}: leave that out{takes}")
        return self

    @property
    def reads_files(self) -> bool:
        """Whether it takes `data`."""
        return self.name not in [*MEASURES, SPEED, MEMORY]

    def suits(self, recipe: Recipe) -> bool:
        """Tell whether it says something true of what this recipe trains."""
        return self.name not in MEASURES or self.name in recipe.objective.measures

    def check(self, recipes: Sequence[Recipe]) -> None:
        """Raise HornbookError, before anything is trained, for files that can't be had, and where it suits no run."""
        if not any(map(self.suits, recipes)):
            objective = recipes[0].objective
            raise HornbookError(
                f"measures: {self.name} says nothing true of a model that learns {objective.name}: its measures "
                f"are {', '.join(objective.measures)}"
            )
        if self.name == MEMORY:
            check_memory()
        elif self._tuned:
            for name in self._tuned:
                read_task(find_task(name), self.data)
        elif self.name in SUITES:
            read_suite(SUITES[self.name], self.data, 1)

    def measure(self, loaded: LoadedModel, recipe: Recipe, facts: dict[str, Any]) -> list[Figure]:
        """Measure a finished run; `facts` are its tokens, seconds and peak of memory.

        Raises HornbookError as the measure does.
        """
        said = self.name.replace("_", " ")
        if self.name == SPEED:
            rule = "Tokens of the training by its seconds, beside the study's other runs at the time."
            value = facts["tokens"] / max(facts["seconds"], 1e-9)
            return [figure(said, value, "tokens/s", "the training", rule, "It compares on one machine.")]
        if self.name == MEMORY:
            rule = (
                "The most memory of the GPU while it trained, or without one of the process, with its libraries; each "
                "run has a process of its own."
            )
            value = facts["memory"] / 2**20
            return [figure(said, value, "MiB", "the training", rule, "It compares on one machine.")]
        if self.name in MEASURES:
            texts, run = list(recipe.corpus.documents_of("heldout")), prepare(recipe, Reporter(silent=True))
            heldout = Heldout(loaded, recipe.objective, texts, run.heldout)
            return MEASURES.find(self.name).measure(heldout, lambda what, share: None)
        if self._tuned:
            return self._tune(loaded, recipe)
        options = {"data": self.data, "limit": self.limit, "rule": self.rule, "run": recipe.folder}
        figures = evaluate_tasks(loaded, [self.name], **options)  # type: ignore[arg-type]
        return figures[:1] if self.name in SUITES else figures

    @property
    def _tuned(self) -> list[str]:
        """The tasks that it fine-tunes on."""
        return list(self.tasks) or (expand([self.name]) if self.name in [*LABELLED, *GROUPS] else [])

    def _tune(self, loaded: LoadedModel, recipe: Recipe) -> list[Figure]:
        """Fine-tune; of a group, give its mean, and of some of its tasks the figures that count before their mean."""
        changes = self.model_dump(include={"epochs", "learning_rate"}, exclude_none=True)
        seeds = range(42, 42 + self.seeds)
        options = {"data": self.data, "seeds": seeds, "limit": self.limit, "out": recipe.folder}
        tuned = finetune(loaded, self._tuned, changes=changes, **options)  # type: ignore[arg-type]
        if self.name in LABELLED:
            return tuned
        group, known = GROUPS[self.name], {one["measure"]: one for one in tuned}
        if not self.tasks:
            return [known[f"{group.title}, mean"]]
        counted = [
            [known[f"{LABELLED[name].title}{ending}"] for ending in group.counted[name]]
            for name in self.tasks
        ]
        mean, majority = (
            fmean(fmean(one[field] for one in figures) for figures in counted)
            for field in ("value", "baseline")
        )
        whole = figure(
            f"{group.title}, {len(counted)} tasks",
            mean,
            "%",
            f"{len(counted)} tasks: {', '.join(LABELLED[name].title for name in self.tasks)}",
            "Their mean; several metrics or parts of a task are averaged first. Always giving the most frequent label "
            f"of each gets {majority:.1f}.",
            "It compares with the mean of the same tasks after the same fine-tuning.",
        )
        return [*(one for figures in counted for one in figures), whole | {"baseline": majority}]
