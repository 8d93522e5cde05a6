"""Public tasks, and minimal pairs of one's own: what a model makes of them, kept in its run's folder."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError
from hornbook.evaluation.harness_tasks import (
    check_it_can_answer,
    find_harness_tasks,
    measure_harness_task,
)
from hornbook.evaluation.measure import Figure, Progress
from hornbook.evaluation.minimal_pairs import SUITES, PairsResult, measure_pairs, read_files, read_suite
from hornbook.loading import AnyModel, load
from hornbook.sealed import write_sealed
from hornbook.training.heap import keep_heap

FOLDER = "tasks"
"""The folder in a run's folder that holds a file for each task."""


def evaluate_tasks(
    model: AnyModel,
    tasks: Sequence[str] = (),
    pairs: Sequence[Path] = (),
    *,
    data: Path | None = None,
    limit: int | None = None,
    rule: str | None = None,
    dense: int | None = None,
    run: Path | None = None,
    progress: Progress | None = None,
) -> list[Figure]:
    """Ask a model public tasks, and the minimal pairs in files of one's own; return the figures.

    A name that is no suite of minimal pairs is lm-evaluation-harness's (extra `eval`). `data` is a folder of tasks, or
    one task's folder or file; without it the hub is asked. `limit` takes so many first questions, or pairs of each
    paradigm. `rule` says how minimal pairs are scored, `dense` how many dense tokens are read before an answer. In the
    folder of a `run`, each task gets a file `tasks/NAME.json`, which `compare` reads. Raises HornbookError for an
    unknown name, before anything is asked, for files that aren't the task's, and for a model that can't do it.
    """
    keep_heap()
    loaded = load(model)
    others = [name for name in tasks if name not in SUITES]
    for name in tasks:
        if rule and name not in SUITES:
            raise HornbookError(f"--rule {rule} is for minimal pairs, and {name} has questions: leave it out")
        if dense is not None and name in SUITES:
            raise HornbookError(
                f"--dense {dense} is for questions, and {name} has pairs without one: leave it out"
            )
    if dense is not None and pairs:
        raise HornbookError(
            f"--dense {dense} is for questions, and --pairs has pairs without one: leave it out"
        )
    manager = find_harness_tasks(others, list(SUITES)) if others else None
    for name in others:
        check_it_can_answer(loaded, name, manager)
    own = {file.stem: read_files([file], limit) for file in pairs}
    tell = progress or (lambda what, share: None)
    figures: list[Figure] = []
    for name in tasks:
        if name in SUITES:
            suite = SUITES[name]
            paradigms = read_suite(suite, data, limit)
            found = measure_pairs(loaded, suite.title, paradigms, rule, partial(tell, name))
        else:
            found = PairsResult(measure_harness_task(loaded, name, manager, data, limit, dense), {})
        figures += _keep(run, _file(name, limit, rule, dense), found)
    for name, paradigms in own.items():
        found = measure_pairs(loaded, name, paradigms, rule, partial(tell, name))
        figures += _keep(run, _file(f"pairs-{name}", limit, rule), found)
    return figures


def write_figures(run: Path, name: str, figures: Sequence[Figure], **details: Any) -> None:
    """Write a task's figures into a run's folder, where its page and `compare` find them."""
    write_sealed(run / FOLDER / f"{name}.json", {"measures": list(figures), **details})


def _file(name: str, limit: int | None, rule: str | None, dense: int | None = None) -> str:
    """Name a task's file, so that a sample or another rule never replaces the whole."""
    marks = (rule, f"dense-{dense}" if dense else None, f"first-{limit}" if limit else None)
    return "-".join([name, *filter(None, marks)])


def _keep(run: Path | None, name: str, found: PairsResult) -> list[Figure]:
    if run and (run / "run.json").is_file():
        write_figures(run, name, found.figures, paradigms=found.details())
    return found.figures
