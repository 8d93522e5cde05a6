"""Questions of public tasks, from files or from the hub, as texts for a language model."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hornbook.corpora.hub import rows
from hornbook.errors import HornbookError, nearest


@dataclass(frozen=True)
class Question:
    """A text and its possible continuations."""

    context: str
    continuations: tuple[str, ...]
    """The continuations, each with the space before it. If there is only one, the model must write exactly this."""
    label: int
    """The index of the right continuation."""


@dataclass(frozen=True)
class PublicTask:
    """A public benchmark."""

    name: str
    dataset: str | None
    """Its name on the hub; None where its authors have not put it there."""
    config: str | None
    split: str
    file: str
    """The path of its rows in a folder of tasks."""
    read: Callable[[dict[str, Any]], Question]
    chance: float
    """The share of right answers by guessing."""
    elsewhere: str = ""
    """Where its files are, if they are not on the hub."""

    @property
    def training(self) -> "PublicTask":
        """The questions to train on: the split train, or train.jsonl beside the file."""
        return replace(self, split="train", file=f"{self.name}/train.jsonl")


def numbered(question: Question) -> Question:
    """Write the choices out before the answer, which is then one of 1, 2, ...; a question without any stays."""
    if len(question.continuations) < 2:
        return question
    numbers = range(1, len(question.continuations) + 1)
    listed = "".join(f"\n{number}.{one}" for number, one in zip(numbers, question.continuations, strict=True))
    return Question(
        f"{question.context}{listed}\nAnswer:", tuple(f" {number}" for number in numbers), question.label
    )


def _hellaswag(row: dict[str, Any]) -> Question:
    """Zellers et al., 2019, without WikiHow's marks, as in lm-evaluation-harness."""
    activity = f"{row['activity_label']}: " if "activity_label" in row else ""
    return Question(
        _without_marks(activity + row["ctx"]),
        tuple(f" {_without_marks(ending)}" for ending in row["endings"]),
        int(row["label"]),
    )


def _openbookqa(row: dict[str, Any]) -> Question:
    """Mihaylov et al., 2018, without the facts: each answer continues the stem."""
    question = row.get("question", {})
    choices = question.get("choices") or row["choices"]
    if isinstance(choices, dict):  # as the hub has them
        choices = [
            {"text": text, "label": label}
            for text, label in zip(choices["text"], choices["label"], strict=True)
        ]
    labels = [choice["label"] for choice in choices]
    return Question(
        question.get("stem") or row["question_stem"],
        tuple(f" {choice['text']}" for choice in choices),
        labels.index(row["answerKey"].strip()),
    )


def _gsm8k(row: dict[str, Any]) -> Question:
    """Cobbe et al., 2021, only the number: the model has to work it out without words."""
    number = row["answer"].rsplit("####", 1)[1].strip()
    return Question(f"Question: {row['question']}\nAnswer:", (f" {number}\n",), 0)


def _prosqa(row: dict[str, Any]) -> Question:
    """Hao et al., 2024, without the steps: the question names two kinds, and the answer says which it is."""
    ((who, *kinds),) = re.findall(r"Is (\w+) a (\w+) or (\w+)\?$", row["question"])
    endings = tuple(f" {who} is a {kind}." for kind in kinds)
    return Question(row["question"], endings, endings.index(f" {row['answer']}"))


TASKS = {
    task.name: task
    for task in (
        PublicTask(
            "hellaswag", "Rowan/hellaswag", None, "validation", "hellaswag/validation.jsonl", _hellaswag, 0.25
        ),
        PublicTask(
            "openbookqa", "allenai/openbookqa", "main", "test", "openbookqa/test.jsonl", _openbookqa, 0.25
        ),
        PublicTask("gsm8k", "openai/gsm8k", "main", "test", "gsm8k/test.jsonl", _gsm8k, 0.0),
        PublicTask(
            "prosqa",
            None,
            None,
            "test",
            "prosqa/test.jsonl",
            _prosqa,
            0.5,
            "put prosqa_train.json and prosqa_test.json, from the folder data of facebookresearch/coconut on GitHub, "
            "as prosqa/train.jsonl and prosqa/test.jsonl into a folder",
        ),
    )
}
ON_HUB = tuple(name for name, task in TASKS.items() if task.dataset)
"""The tasks that anybody with a network can ask: the default where none is named."""


def find_task(name: str) -> PublicTask:
    """Find a task by its name; raises HornbookError for an unknown one."""
    if name not in TASKS:
        raise HornbookError(f"there is no task {name!r}{nearest(name, list(TASKS))}")
    return TASKS[name]


def read_questions(task: PublicTask, data: Path | None = None, limit: int | None = None) -> list[Question]:
    """Read a task's first `limit` questions from its file in the folder `data`, or without `data` from the hub.

    The file has JSON lines, or a JSON array. `data` may also be the file itself. Raises HornbookError for a missing
    file, for rows of another task, and without `data` for a task that is not on the hub.
    """
    if data is None:
        where, found = task.dataset or task.name, _hub_rows(task)
    else:
        where, found = str(data), _file_rows(data / task.file if data.is_dir() else data)
    chosen = found[:limit]
    try:
        questions = [task.read(row) for row in chosen]
    except (KeyError, ValueError, IndexError, AttributeError, TypeError) as error:
        raise HornbookError(
            f"{where}: its rows are not those of {task.name} ({error!r}): name its file"
        ) from error
    if not questions:
        raise HornbookError(f"{where}: there are no questions in it: name the file of {task.name}")
    return questions


def _hub_rows(task: PublicTask) -> list[dict[str, Any]]:
    if task.dataset is None:
        raise HornbookError(
            f"{task.name} is not on the hub: {task.elsewhere}, and name that folder with --data, or with "
            "questions.data in a recipe"
        )
    try:
        return list(rows(task.dataset, task.config, task.split))
    except HornbookError as error:
        raise HornbookError(
            f"{task.dataset} can't be had from the hub: connect to a network, or name a file or folder of tasks with "
            "--data"
        ) from error


def _file_rows(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines, or an array: a line of JSON lines is an object, and begins with no bracket."""
    try:
        text = path.read_text("utf-8")
        if text.lstrip().startswith("["):
            return [*json.loads(text)]
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise HornbookError(
            f"{path}: can't be read as JSON lines or an array ({' '.join(str(error).split())}): name the task's file "
            "or its folder"
        ) from error


def _without_marks(text: str) -> str:
    """Remove WikiHow's marks, such as [header], and the spaces that they leave."""
    return re.sub(r" +", " ", re.sub(r"\[.*?\]", "", text.replace(" [title]", ". "))).strip()
