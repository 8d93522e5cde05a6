"""What is asked of a model: its run's held-out part, texts, public tasks, or minimal pairs."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from hornbook.console import reporter
from hornbook.corpora import Corpus
from hornbook.corpora.files import Cut
from hornbook.corpora.given import Texts, documents_in
from hornbook.errors import HornbookError
from hornbook.evaluation.evaluate import evaluate as measure
from hornbook.evaluation.evaluate import evaluate_run
from hornbook.evaluation.measure import Progress
from hornbook.evaluation.tasks import evaluate_tasks
from hornbook.frames import drawn, frame
from hornbook.loading import AnyModel, load

if TYPE_CHECKING:
    from pandas import DataFrame

_LEARNED = ("glue", "superglue", "babylm")
"""Suites of tasks that a model is fine-tuned on."""


class Evaluation(dict[str, list[dict[str, Any]]]):
    """What an evaluation found: `measures` (measure, value, unit, over, rule, comparable) and `samples`."""

    @property
    def figures(self) -> "DataFrame":
        """The measures, a row for each."""
        return frame(self["measures"])

    def _repr_html_(self) -> str:
        """Draw it in a notebook."""
        return drawn("Evaluation", self["measures"]) + (
            drawn("Samples", self["samples"]) if self.get("samples") else ""
        )


def evaluate(
    model: AnyModel,
    text: Texts | None = None,
    documents: str = "blank-line",
    task: str | Sequence[str] | None = None,
    pairs: Path | Sequence[Path] | None = None,
    data: Path | None = None,
    limit: int | None = None,
    rule: str | None = None,
    trust: bool = False,
    dense: int | None = None,
    *,
    run: Path | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure a model on held-out text; each figure says what it can be compared with.

    A run is measured on its corpus's held-out part, and the figures are kept in its folder; any other model on `text`:
    documents as an iterable, or paths of files (a str or Path objects), which `documents` cuts. `task` asks public
    tasks, `pairs` minimal pairs in files; `data`, `limit`, `rule` and `dense` are of these, as in `evaluate_tasks`.
    With `trust`, code that lies in the model's folder may run. `run` is the folder that keeps the figures of tasks, by
    default the model's own. Raises HornbookError for what can't be meant, and as `load_model` and `evaluate_tasks` do.
    """
    with nullcontext(progress) if progress else reporter().shares() as tell:
        return _asked(model, text, documents, task, pairs, data, limit, rule, trust, dense, run, tell)


def _asked(
    model: AnyModel,
    text: Texts | None,
    documents: str,
    task: str | Sequence[str] | None,
    pairs: Path | Sequence[Path] | None,
    data: Path | None,
    limit: int | None,
    rule: str | None,
    trust: bool,
    dense: int | None,
    run: Path | None,
    progress: Progress,
) -> Evaluation:
    options: dict[str, Any] = {"data": data, "limit": limit, "rule": rule, "dense": dense}
    if task or pairs:
        names, files = _several(task), _several(pairs)
        at = run or folder_of(model)
        refuse_learned(names, at)
        return Evaluation(
            measures=evaluate_tasks(load(model, trust), names, files, **options, run=at, progress=progress),
            samples=[],
        )
    if unused := [f"--{name}" for name, given in options.items() if given is not None]:
        raise HornbookError(f"{', '.join(unused)} is for tasks and pairs: name some with --task or --pairs")
    if text is not None:
        if documents not in get_args(Cut):
            raise HornbookError(f"--documents {documents}: choose file, blank-line, line or separator")
        found = documents_in(text)
        if not isinstance(found, list):
            texts = list(filter(None, (one.strip() for one in found)))
        else:
            corpus = Corpus.model_validate({"path": found, "documents": documents, "heldout_fraction": 0})
            texts = list(corpus.documents_of("train"))
        return Evaluation(measure(load(model, trust), texts, progress=progress))
    folder = folder_of(model)
    if folder is None or not (folder / "recipe.yaml").exists():
        raise HornbookError(
            f"{folder or 'the model'}: this is not a run, so it has no held-out part: name text files with --text"
        )
    return Evaluation(evaluate_run(folder, progress, trust))


def refuse_learned(names: Sequence[str], run: Path | None) -> None:
    """Raise HornbookError for a suite of tasks that a model is fine-tuned on; no model has to be opened for that."""
    if learned := [name for name in names if name in _LEARNED]:
        raise HornbookError(
            f"{learned[0]} is learned, not asked: use `hornbook finetune {run or 'RUN'} --task {learned[0]}`; "
            "lm-eval's own prompts are asked task by task, such as --task cola rte"
        )


def folder_of(model: AnyModel) -> Path | None:
    """Give the folder in which a model's figures are kept: a run's, or the model's own."""
    if isinstance(model, Path | str):
        return Path(model)
    folder: Path | None = getattr(model, "folder", None)
    return folder.parent if folder and (folder.parent / "recipe.yaml").is_file() else folder


def _several(given: Any) -> list[Any]:
    return [given] if isinstance(given, str | Path) else list(given or [])
