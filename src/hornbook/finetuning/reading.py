"""Read labelled texts: a task's files as they were published, tables of one's own, or the hub's."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hornbook.errors import HornbookError, one_line
from hornbook.finetuning.metrics import Values
from hornbook.finetuning.tasks import LabelledTask, Row, Texts, own_task

_ENDINGS = (".tsv", ".jsonl", ".csv")


@dataclass(frozen=True)
class Examples:
    """Texts, or pairs of texts, with their labels."""

    texts: Sequence[Texts]
    labels: Values
    """The number of each label, or the label itself where labels are numbers; shape (texts,)."""

    def of(self, places: Any) -> "Examples":
        """Choose some of them."""
        return Examples([self.texts[place] for place in places], self.labels[places])

    def sample(self, limit: int) -> "Examples":
        """Draw some of them, the same ones each time, in their order: a table's first rows may all have one label."""
        drawn = np.random.default_rng(0).permutation(len(self.texts))[:limit]
        return self.of(np.sort(drawn))


@dataclass(frozen=True)
class TaskData:
    """A task with its texts: those to train on, and those that are reported. The keys of the latter are added to the
    title."""

    task: LabelledTask
    names: tuple[str, ...]
    """What the labels are called, in the order of their numbers."""
    train: Examples
    tests: dict[str, Examples]

    def sample(self, limit: int | None) -> "TaskData":
        """Keep at most this many texts in each part; None keeps all."""
        if limit is None:
            return self
        tests = {name: one.sample(limit) for name, one in self.tests.items()}
        return replace(self, train=self.train.sample(limit), tests=tests)


def read_task(task: LabelledTask, data: Path | None = None) -> TaskData:
    """Read a task from a folder of tasks or its own folder, or without `data` from the hub.

    It knows the files that GLUE and SuperGLUE give out (`CoLA/train.tsv`, `BoolQ/train.jsonl`), and BabyLM's
    (`boolq.train.jsonl`). The published tests have no labels, so the validation part is what is reported. BabyLM's MNLI
    has one such part, the matched one, and then there is no other figure. Raises HornbookError for files that aren't
    there or are another task's, and where the hub is out of reach.
    """
    splits: dict[str | None, tuple[str, ...]] = {None: ("train",)}
    splits.update(task.tests)
    if data is not None and _find(task, data, ("valid", "validation")):
        splits = {
            name: wanted for name, wanted in splits.items() if name != "-mm" or _find(task, data, wanted)
        }
    rows = {
        name: _hub(task, wanted) if data is None else _local(task, data, wanted)
        for name, wanted in splits.items()
    }
    read = {name: _examples(task, where, found, task.labels) for name, (where, found) in rows.items()}
    train = read.pop(None)
    return TaskData(task, task.labels, train, {str(name): one for name, one in read.items()})


def read_own(train: Path, test: Path) -> TaskData:
    """Read two tables of one's own, CSV, TSV or JSON lines with texts and labels; the name is the training file's.

    Raises HornbookError for an empty table, for columns of other names, and for labels that the training texts lack.
    """
    learned, asked = _rows(train), _rows(test)
    task = own_task(str(train), learned[0])
    own_task(str(test), asked[0])
    found = sorted({str(row["label"]) for row in learned})
    if len(found) < 2:
        raise HornbookError(
            f"{train}: all of its labels are {found[0]!r}, so there is nothing to learn: give others too"
        )
    if len(found) > max(2, len(learned) // 2):
        raise HornbookError(
            f"{train}: it has {len(found):,} different labels in {len(learned):,} rows: put the label into "
            "the column label"
        )
    named = LabelledTask(train.stem, train.stem, task.read, task.metrics, tuple(found), dataset="")
    examples = [
        _examples(named, str(file), rows, tuple(found)) for file, rows in ((train, learned), (test, asked))
    ]
    return TaskData(named, tuple(found), examples[0], {"": examples[1]})


def _examples(task: LabelledTask, where: str, rows: Iterable[Row], names: tuple[str, ...]) -> Examples:
    texts: list[Texts] = []
    labels: list[float] = []
    for number, row in enumerate(rows, 1):
        try:
            read = list(task.read(row))
        except (KeyError, TypeError, AttributeError) as error:
            raise HornbookError(
                f"{where}, row {number}: it has no {one_line(error)}, and {task.title} has: name its own files"
            ) from error
        for one, label in read:
            if not all(text.strip() for text in one):
                raise HornbookError(
                    f"{where}, row {number}: one of its texts is empty: mend or remove this row"
                )
            texts.append(one)
            labels.append(_label(label, task, names, f"{where}, row {number}"))
    if not texts:
        raise HornbookError(f"{where}: there are no rows in it: name the files of {task.title}")
    return Examples(texts, np.array(labels))


def _label(label: Any, task: LabelledTask, names: tuple[str, ...], place: str) -> float:
    """Give a label's number: labels are written by name, or as their numbers."""
    written = str(label).strip()
    if task.numbers:
        try:
            return float(written)
        except ValueError:
            raise HornbookError(
                f"{place}: its label is {written!r}, and {task.title} has numbers: mend it"
            ) from None
    for form in (written, written.capitalize()):
        if form in names:
            return names.index(form)
    if task.dataset and written in map(str, range(len(names))):
        return int(written)
    hidden = " (a test part without labels has -1: take the validation part)" if written == "-1" else ""
    known = "the training texts have" if not task.dataset else f"{task.title} has"
    raise HornbookError(f"{place}: its label is {written!r}, and {known} {', '.join(names)}: mend it{hidden}")


def _local(task: LabelledTask, data: Path, splits: Sequence[str]) -> tuple[str, list[Row]]:
    if file := _find(task, data, splits):
        return str(file), _rows(file, task.columns)
    raise HornbookError(
        f"{data}: there is no {splits[0]} part of {task.title} in it: give the folder that holds {task.folder}/ (or "
        f"{task.name}.{splits[0]}.jsonl), or leave --data out to ask the hub"
    )


def _find(task: LabelledTask, data: Path, splits: Sequence[str]) -> Path | None:
    for folder in (data / "glue" / task.folder, data / task.folder, data / task.name, data):
        for split in splits:
            # A folder of many tasks has each task's files under its name.
            stems = [f"{task.name}.{split}"] + ([split] if folder != data or not _holds_tasks(data) else [])
            for stem in stems:
                for ending in _ENDINGS:
                    if (file := folder / f"{stem}{ending}").is_file():
                        return file
    return None


def _holds_tasks(data: Path) -> bool:
    return any(path.is_dir() for path in data.iterdir()) if data.is_dir() else False


def _rows(file: Path, columns: Sequence[str] = ()) -> list[Row]:
    """Read a table's rows; `columns` are their names where the file has none."""
    if file.suffix not in _ENDINGS:
        raise HornbookError(f"{file}: it is no table that is read here: give one of {', '.join(_ENDINGS)}")
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            if file.suffix == ".jsonl":
                rows = [json.loads(line) for line in text if line.strip()]
            elif file.suffix == ".tsv":
                rows = list(csv.DictReader(text, columns or None, delimiter="\t", quoting=csv.QUOTE_NONE))
            else:
                rows = list(csv.DictReader(text, columns or None))
    except (OSError, ValueError, csv.Error) as error:
        raise HornbookError(
            f"{file}: can't be read ({one_line(error)}): mend it, or name another file"
        ) from error
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise HornbookError(f"{file}: it has no rows with named columns: give a table with text and label")
    return rows


def _hub(task: LabelledTask, splits: Sequence[str]) -> tuple[str, list[Row]]:
    from hornbook.corpora.hub import rows

    where = f"{task.dataset}, {task.config}, {splits[0]}"
    try:
        return where, list(rows(task.dataset, task.config, splits[0]))
    except HornbookError as error:
        raise HornbookError(
            f"{task.title} ({where}) can't be had from the hub: connect to a network, or name a folder that holds "
            f"{task.folder}/ with --data"
        ) from error
