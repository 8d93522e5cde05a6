"""Fine-tune a model on tasks with several seeds; figures beside those of always giving the most frequent label."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from hornbook.atomic import beside
from hornbook.errors import HornbookError
from hornbook.evaluation.measure import Figure, Progress, figure
from hornbook.evaluation.tasks import write_figures
from hornbook.finetuning.groups import expand, means
from hornbook.finetuning.metrics import METRICS, Values, interval
from hornbook.finetuning.reading import Examples, TaskData, read_own, read_task
from hornbook.finetuning.settings import FinetuneSettings
from hornbook.finetuning.tasks import find_task
from hornbook.finetuning.train import Tuned, plain, split_validation, train_classifier
from hornbook.loading import AnyModel, LoadedModel, load
from hornbook.quiet import quiet
from hornbook.sealed import read_sealed, write_sealed
from hornbook.training.heap import keep_heap

FOLDER = "finetuned"
"""The folder in a run's folder that holds a classifier's folder for each task and seed."""


def finetune(
    model: AnyModel,
    task: str | Sequence[str] = (),
    *,
    train: Path | None = None,
    test: Path | None = None,
    data: Path | None = None,
    seeds: int | Sequence[int] = 3,
    changes: dict[str, Any] | None = None,
    limit: int | None = None,
    out: Path | None = None,
    trust: bool = False,
    progress: Progress | None = None,
) -> list[Figure]:
    """Fine-tune a model on each task with each seed; return figures in the form of `evaluate`.

    A task is GLUE's or SuperGLUE's by name, or all of a group (`GROUPS`), whose mean then comes first; or one's own in
    the tables `train` and `test`. `seeds` is how many, counted from 42 on, or the seeds themselves. `data` is a folder
    that holds their files; without it the hub is asked. `changes` are of `FinetuneSettings`. `limit` is the most texts
    that are drawn from each part, to try things out. Everything goes to `out`, by default the run's folder:
    `finetuned/TASK/seed-N` is a plain Hugging Face folder with its `result.json`, and `tasks/TASK.json` holds the
    figures, which `compare` reads. What is there already with the same settings isn't done again. With `trust`, code
    that lies in the model's folder may run. Raises HornbookError, before anything is trained, for what can't be meant.
    """
    tasks = expand([task] if isinstance(task, str) else task)
    seeds = range(42, 42 + seeds) if isinstance(seeds, int) else seeds
    if bool(tasks) == bool(train or test) or bool(train) != bool(test):
        raise HornbookError(
            "name either tasks, or one table to train on and one to test on (--train FILE --test FILE)"
        )
    if not seeds or len(set(seeds)) < len(seeds):
        raise HornbookError(f"seeds are {list(seeds)}: give one or more, each once")
    if limit is not None and limit < 1:
        raise HornbookError(f"limit is {limit}: give at least 1, or leave it out")
    settings = FinetuneSettings(**(changes or {}))
    found = [find_task(name) for name in tasks]
    place = Path(out) if out else _run_of(model)
    keep_heap()
    loaded = load(model, trust)
    if loaded.reading == "right to left":
        raise HornbookError(
            f"{loaded.name} reads {loaded.reading}, and texts are given from left to right: use another"
        )
    material = [read_own(train, test)] if train and test else [read_task(task, data) for task in found]
    tell = progress or (lambda what, share: None)
    figures: list[Figure] = []
    for one in (whole.sample(limit) for whole in material):
        fitting = settings
        if changes is None or "epochs" not in changes:
            fitting = replace(fitting, epochs=one.task.epochs or fitting.epochs)
        if changes is None or "batch" not in changes:
            fitting = replace(fitting, batch=one.task.batch or fitting.batch)
        split_validation(len(one.train.texts), fitting.validation)
        tuned = [_tune(loaded, one, fitting, seed, place, tell) for seed in seeds]
        told = make_figures(loaded, one, fitting, list(seeds), tuned, limit)
        write_figures(place, one.task.name, told, settings=asdict(fitting), seeds=list(seeds))
        figures += told
    if averaged := means(figures):
        write_figures(place, "glue-means", averaged)
    return [*averaged, *figures]


def _run_of(model: AnyModel) -> Path:
    folder = Path(model) if isinstance(model, Path | str) else load(model).folder
    for place in (folder, folder.parent):
        if (place / "run.json").is_file():
            return place
    raise HornbookError(f"{folder}: this is no run's folder, so say with --out where the classifiers go")


def _tune(
    loaded: LoadedModel, data: TaskData, settings: FinetuneSettings, seed: int, place: Path, tell: Progress
) -> Tuned:
    """Fine-tune with one seed, or read what was found before."""
    folder = place / FOLDER / data.task.name / f"seed-{seed}"
    asked = {"settings": asdict(settings), "data": _fingerprint(data), "model": str(loaded.folder.resolve())}
    if (folder / "result.json").is_file():
        before = read_sealed(folder / "result.json", f"delete {folder} to fine-tune with this seed again")
        if before["asked"] != asked:
            changed = [name for name, value in asked.items() if before["asked"].get(name) != value]
            raise HornbookError(
                f"{folder}: it holds a classifier of other {' and '.join(changed)}: choose another folder with --out, "
                "or delete that one"
            )
        return Tuned(**before["found"])
    folder.parent.mkdir(parents=True, exist_ok=True)
    with beside(folder, folder=True) as writing:
        found = train_classifier(
            loaded, data, settings, seed, writing, partial(tell, f"{data.task.name}, seed {seed}")
        )
        outcome = {"asked": asked, "seed": seed, "found": plain(found)}
        write_sealed(writing / "result.json", outcome)
    return found


def make_figures(
    loaded: LoadedModel,
    data: TaskData,
    settings: FinetuneSettings,
    seeds: Sequence[int],
    tuned: Sequence[Tuned],
    limit: int | None = None,
) -> list[Figure]:
    """Make a figure of each metric on each test part, with its interval and the majority's figure."""
    figures = []
    drawn = (
        f" Trained on {len(data.train.texts):,} texts, at most {limit:,} drawn of each part." if limit else ""
    )
    for part, examples in data.tests.items():
        predicted = np.array([one.predictions[part] for one in tuned])
        majority = _majority(data.train, examples, data.task.numbers)
        guess = f"Always giving {'their mean' if data.task.numbers else 'their most frequent label'}"
        cut = _cut(loaded, examples, settings)
        for name in data.task.metrics:
            metric = METRICS[name]
            values = [metric(one, examples.labels) for one in predicted]
            low, high = interval(metric, predicted, examples.labels)
            baseline = metric(majority, examples.labels)
            rule = f"{_told(settings, seeds, values)} {guess} gets {baseline:.1f}.{drawn}{cut}"
            scope = f"{data.task.title}{part}: {len(examples.texts):,} texts ({_fingerprint(data)[:8]})"
            figures.append(
                figure(
                    f"{data.task.title}{part}, {name}",
                    float(np.mean(values)),
                    "%",
                    f"{len(examples.texts):,} texts of the {'validation' if data.task.dataset else 'test'} part",
                    rule,
                    "It compares with any model that is fine-tuned with the same settings on the same texts.",
                )
                | {"low": low, "high": high, "baseline": baseline, "scope": scope}
            )
    return figures


def _told(settings: FinetuneSettings, seeds: Sequence[int], values: Sequence[float]) -> str:
    each = ", ".join(f"{value:.1f}" for value in values)
    return (
        f"Mean of seeds {', '.join(map(str, seeds))} ({each}), each a classifier of its own, fine-tuned for at most "
        f"{settings.epochs} epochs of batches of {settings.batch} at {settings.learning_rate:g}. Its best epoch is "
        f"chosen on {100 * settings.validation:g} % of the training texts, which train nothing."
    )


def _majority(train: Examples, test: Examples, numbers: bool) -> Values:
    """Give every text the training texts' most frequent label, or their mean."""
    if numbers:
        return np.full(len(test.labels), train.labels.mean())
    known, counts = np.unique(train.labels, return_counts=True)
    return np.full(len(test.labels), known[counts.argmax()])


def _cut(loaded: LoadedModel, part: Examples, settings: FinetuneSettings) -> str:
    """Say how many texts are longer than the model."""
    most = min(settings.length, loaded.length)
    columns = [list(texts) for texts in zip(*part.texts, strict=True)]
    with quiet():  # transformers remarks on each text that is too long
        lengths = [len(ids) for ids in loaded.tokenizer(*columns, split_special_tokens=True)["input_ids"]]
    longer = sum(length > most for length in lengths)
    return f" {longer:,} of the texts have more than {most} tokens, and were cut." if longer else ""


def _fingerprint(data: TaskData) -> str:
    known = sha256()
    for part in (data.train, *data.tests.values()):
        for texts, label in zip(part.texts, part.labels.tolist(), strict=True):
            known.update(repr((texts, label)).encode("utf-8", "surrogatepass"))
    return known.hexdigest()
