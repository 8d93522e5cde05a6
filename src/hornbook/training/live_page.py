"""The run's page, written again and again while the run goes on."""

import time
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from hornbook.browser import Shown
from hornbook.errors import HornbookError
from hornbook.evaluation.prompts import heldout_prompts
from hornbook.evaluation.samples import fits, sample
from hornbook.loading import LoadedModel
from hornbook.report import read_run, write_page
from hornbook.report.live import live
from hornbook.report.runs import Sample
from hornbook.reporter import Reporter
from hornbook.training.callbacks import Callback, TrainingLoop

EVERY = 5.0
"""Seconds between two pages, at least."""
_SHARE = 0.01
"""The largest share of a run's time that its page may take, without its samples."""
_DOCUMENTS = 100
"""Held-out documents among which prompts are looked for."""
_SAMPLES = TypeAdapter(tuple[Sample, ...])


class LivePage(Callback):
    """Writes the run's page as the run goes on, with samples at each evaluation, and shows it.

    It changes nothing of what is learned: samples have random numbers of their own, and the next step seeds anew.
    """

    def __init__(self, report: Reporter) -> None:
        self.report = report
        self._shown: Shown | None = None
        self._samples: tuple[Sample, ...] = ()
        self._due, self._fails = 0.0, False

    def on_begin(self, loop: TrainingLoop) -> None:
        """Show the page before the first step."""
        self._loaded = _loaded(loop)
        self._prompts = _prompts(loop, self._loaded)
        self._write(loop)

    def on_log(self, loop: TrainingLoop, kind: str, facts: dict[str, Any]) -> None:
        """Write the page with new figures; after an evaluation also with new samples."""
        if kind == "evaluate" or time.perf_counter() >= self._due:
            self._write(loop, kind == "evaluate")

    def on_end(self, loop: TrainingLoop) -> None:
        """Say that no more steps are taken."""
        self._write(loop, ended=True)

    def on_finish(self, loop: TrainingLoop) -> None:
        """Show the finished page, if the run was finished already, or in a notebook."""
        self._show(loop)

    def _write(self, loop: TrainingLoop, sampled: bool = False, ended: bool = False) -> None:
        """Write the page, with new samples if they are due. If that fails, the training goes on without it."""
        if self._fails:
            return
        began, folder = time.perf_counter(), loop.run.folder
        try:
            if sampled:
                self._samples, began = self._sample(loop), time.perf_counter()
            run = replace(read_run(folder), samples=self._samples)
            write_page([run], folder / "page.html", run.name, live(run, EVERY, ended))
            self._show(loop)
        except (OSError, HornbookError) as error:
            self._fails = True
            self.report.warn(f"the page can't be written, and the training goes on without it: {error}")
        now = time.perf_counter()
        self._due = now + max(EVERY, (now - began) / _SHARE)

    def _sample(self, loop: TrainingLoop) -> tuple[Sample, ...]:
        if (writes := loop.run.recipe.objective.writes) is None:
            return ()
        loop.model.eval()  # each step sets it back
        return _SAMPLES.validate_python([sample(self._loaded, prompt, writes) for prompt in self._prompts])

    def _show(self, loop: TrainingLoop) -> None:
        if self._shown:
            self._shown.again()
        else:
            self._shown = Shown(loop.run.folder / "page.html", self.report)


def _loaded(loop: TrainingLoop) -> LoadedModel:
    """Give the model that is being trained, in the form in which samples are taken of one."""
    recipe = loop.run.recipe
    return LoadedModel(
        loop.run.folder,
        recipe.name,
        recipe.model.family,
        recipe.objective.head,
        loop.model,
        loop.run.tokenizer,
        recipe.model.length,
    )


def _prompts(loop: TrainingLoop, loaded: LoadedModel) -> list[str]:
    store = loop.run.heldout
    ids = [store.document(number)[:-1] for number in range(min(_DOCUMENTS, store.counts()["documents"]))]
    texts = [loop.run.tokenizer.decode(one) for one in ids]
    return [prompt for prompt in heldout_prompts(texts) if fits(loaded, prompt)]
