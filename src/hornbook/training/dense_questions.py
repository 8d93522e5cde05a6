"""Train models on questions with dense tokens before the answer and without, and judge them on other questions."""

import json
import shutil
from collections.abc import Iterable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator
from transformers import PreTrainedTokenizerBase

from hornbook.atomic import beside
from hornbook.dense_tokens.folder import save_dense, wrap_folder
from hornbook.dense_tokens.measure import ARMS, Arm
from hornbook.dense_tokens.public_tasks import Way, answer_with, compare, length_of, tell_needed
from hornbook.errors import HornbookError
from hornbook.evaluation.answers import Answers
from hornbook.evaluation.continuations import encode_pairs
from hornbook.evaluation.questions import ON_HUB, Question, find_task, numbered, read_questions
from hornbook.recipe import change, read_shipped, read_values
from hornbook.recipe.problems import explain
from hornbook.reporter import Reporter
from hornbook.section import Section
from hornbook.training.answer_lessons import AnswerLessons
from hornbook.training.dense import DenseTraining, train_dense

_RECIPE = "dense/questions"
_NOT_HERE = {"arm", "emission", "ahead"}
"""What a training with dense tokens may say, but not one on questions."""


class QuestionOptions(Section):
    """Which questions are learned and asked, and how they are answered."""

    tasks: tuple[str, ...] = ON_HUB
    """Public tasks: openbookqa, hellaswag, gsm8k, and prosqa, which needs `data`. One model learns all of them, and is
    judged on each."""
    data: str | None = None
    """A folder with the tasks' files, such as openbookqa/train.jsonl and openbookqa/test.jsonl; else the hub."""
    answer: Literal["text", "number"] = "text"
    """text: the answer's own words. number: the choices stand in the question, and the answer is one of 1, 2, 3, 4
    (ProsQA: 1, 2). GSM8K has no choices: its answer is its number either way."""
    count: int = Field(4, ge=1, le=10**6)
    """Dense tokens between question and answer."""
    limit: int | None = Field(None, ge=1, le=10**12)
    """Questions of each task to train on, at most."""
    test_limit: int = Field(1500, ge=1, le=10**12)
    """Questions of each task to be judged on, at most."""

    @field_validator("tasks")
    @classmethod
    def _known(cls, tasks: tuple[str, ...]) -> tuple[str, ...]:
        for name in tasks:
            try:
                find_task(name)
            except HornbookError as error:
                raise ValueError(str(error)) from error
        return tasks

    def read(self, part: Literal["train", "test"]) -> dict[str, list[Question]]:
        """Read the questions to train on or to be judged on, by task."""
        data, found = Path(self.data) if self.data else None, {}
        for name in self.tasks:
            task = find_task(name)
            one, most = (task.training, self.limit) if part == "train" else (task, self.test_limit)
            asked = read_questions(one, data, most)
            found[name] = [numbered(question) for question in asked] if self.answer == "number" else asked
        return found


class QuestionRecipe(Section):
    """What is trained and judged."""

    seeds: int = Field(3, ge=1, le=10**4)
    """How many models each arm has."""
    arms: tuple[Arm, ...] = ARMS
    """Before the answer: plain has nothing, pause has tokens without vectors, dense has dense tokens."""
    questions: QuestionOptions = QuestionOptions()
    training: DenseTraining
    """How the models are trained: steps, optimizer, learning rate, schedule, and rounds and gradient of dense tokens,
    which are filled one by one where nothing else is said."""

    @field_validator("training", mode="before")
    @classmethod
    def _one_by_one(cls, given: Any) -> Any:
        return {"rounds": None} | given if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if "dense" not in self.arms:
            raise ValueError(f"arms are {', '.join(self.arms)}: the others are compared with dense: add it")
        for name in _NOT_HERE & self.training.model_fields_set:
            why = "arms says it for all models" if name == "arm" else "the loss is on the answer only"
            raise ValueError(f"training.{name}: {why}: leave it out")
        return self

    def to_yaml(self) -> str:
        """Write the recipe with every default resolved, so that it can be read again."""
        values = self.model_dump(mode="json", exclude={"training": _NOT_HERE})
        return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def read_question_recipe(path: Path | None, settings: Iterable[str] = ()) -> QuestionRecipe:
    """Read a recipe for questions, by default the one that comes with Hornbook, with `a.b=c` settings on top."""
    given = read_values(path, "recipe", "questions and training") if path else read_shipped(_RECIPE)
    for setting in settings:
        given = change(given, setting)
    try:
        return QuestionRecipe.model_validate(given)
    except ValidationError as error:
        problems = "; ".join(line for one in error.errors() for line in explain(dict(one), given))
        raise HornbookError(f"{path or 'recipe'}: {problems}") from error


def learn_questions(
    model: Path, out: Path, recipe: QuestionRecipe, difference: float = 0.05, report: Reporter | None = None
) -> dict[str, dict[str, dict[str, Any]]]:
    """Train each arm with each seed in `out`, and return the figures by task and arm, as `compare` makes them.

    Beside the arms stand the model as it was, which reads without dense tokens, and the models of the arm dense with
    random vectors of the same length. Models that are trained already are used as they are, and one that was cut off
    goes on. Raises HornbookError where `out` holds another recipe's models.
    """
    report = report or Reporter()
    _begin(model, out, recipe)
    wrapped, tokenizer = wrap_folder(model)
    room = length_of(wrapped) - recipe.questions.count
    asked, learned = (
        {name: _fitting(name, part, found, tokenizer, room, report) for name, found in questions.items()}
        for part, questions in ((part, recipe.questions.read(part)) for part in ("test", "train"))
    )
    for name, questions in asked.items():
        tell_needed(report, find_task(name), len(questions), difference)
    ways: dict[str, tuple[str, Way]] = {arm: (arm, arm) for arm in recipe.arms} | {
        "random vectors": ("dense", "random"),
        "untrained": ("", "plain"),
    }
    for arm in recipe.arms:
        for seed in range(recipe.seeds):
            if not (folder := out / f"{arm}-{seed}").exists():
                _train(model, folder, [*chain(*learned.values())], recipe, arm, seed, report)
    answers: dict[str, dict[str, list[Answers]]] = {name: {way: [] for way in ways} for name in asked}
    with report.shares() as tell:
        for way, (trained, reading) in ways.items():
            for seed in range(recipe.seeds):
                loaded, tokenizer = wrap_folder(out / f"{trained}-{seed}" if trained else model)
                for name, questions in asked.items():
                    progress = partial(tell, f"{name}, {way}, seed {seed}")
                    found = answer_with(
                        loaded, tokenizer, questions, reading, recipe.questions.count, seed, progress
                    )
                    answers[name][way].append(found)
    figures = {name: compare(found) for name, found in answers.items()}
    with beside(out / "figures.json") as file:
        file.write_text(json.dumps(figures, indent=2), "utf-8")
    return figures


def _fitting(
    task: str,
    part: str,
    questions: list[Question],
    tokenizer: PreTrainedTokenizerBase,
    room: int,
    report: Reporter,
) -> list[Question]:
    """Leave out questions with an answer that fills the model's room alone, and say how many they are."""
    pairs = [(question.context, ending) for question in questions for ending in question.continuations]
    sizes = (len(ending) for _, ending in encode_pairs(tokenizer, pairs))
    fitting = [one for one in questions if max(next(sizes) for _ in one.continuations) < room]
    if not fitting:
        raise HornbookError(
            f"{task}: no question has answers of fewer than {room} tokens: give a longer model"
        )
    if left := len(questions) - len(fitting):
        report.warn(
            f"{task}: {left:,} of {len(questions):,} questions ({part}) have an answer of {room} tokens or more, all "
            "that the model takes: they are left out"
        )
    return fitting


def _begin(model: Path, out: Path, recipe: QuestionRecipe) -> None:
    """Write the recipe into the folder; refuse a folder that holds another one's models, or other files."""
    saved = out / "recipe.yaml"
    now = f"# The models here began as {model}\n{recipe.to_yaml()}"
    if saved.exists():
        if saved.read_text("utf-8") != now:
            raise HornbookError(f"{out}: holds models of another recipe ({saved}): choose another folder")
    elif out.exists() and any(out.iterdir()):
        raise HornbookError(f"{out}: is there already, and holds no such models: choose another folder")
    else:
        with beside(saved) as file:
            file.write_text(now, "utf-8")


def _train(
    model: Path,
    folder: Path,
    learned: list[Question],
    recipe: QuestionRecipe,
    arm: Arm,
    seed: int,
    report: Reporter,
) -> None:
    """Train one model, with what it is in the folder at the end; checkpoints beside it are there until then."""
    wrapped, tokenizer = wrap_folder(model)
    lessons = AnswerLessons.of(learned, tokenizer, wrapped.options.token, recipe.questions.count)
    options = recipe.training.model_copy(update={"arm": arm})
    checkpoints = folder.with_name(f"{folder.name}.checkpoints")
    with report.steps(f"Training, {arm}, seed {seed}", 0, options.steps) as reach:
        train_dense(
            wrapped,
            lessons,
            options,
            seed,
            folder.with_name(f"{folder.name}.jsonl"),
            reach,
            checkpoints,
            report.warn,
        )
    save_dense(wrapped, tokenizer, folder)
    shutil.rmtree(checkpoints)
