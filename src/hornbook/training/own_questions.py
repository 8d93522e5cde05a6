"""Questions of a user's own: from a JSONL file, a part of them held out, and dense tokens before their answers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.public_tasks import length_of
from hornbook.errors import HornbookError, one_line
from hornbook.evaluation.questions import Question
from hornbook.rng import key, permute
from hornbook.training.answer_lessons import AnswerLessons
from hornbook.training.tried import TriedQuestions

_FEWEST = 5


def try_questions(
    path: Path, heldout: Path | None, model: DenseModel, tokenizer: PreTrainedTokenizerBase, count: int
) -> TriedQuestions:
    """Read questions to learn and others to ask, with `count` dense tokens before each answer.

    Without a file of held-out questions, a fifth of the others is held out. Raises HornbookError for what can't be
    read, and for an answer that leaves no room for its question.
    """
    learned, asked = (read_own(path), read_own(heldout)) if heldout else hold_out(read_own(path), path)
    parts = [AnswerLessons.of(one, tokenizer, model.options.token, count) for one in (learned, asked)]
    longest, room = max(len(answer) for one in parts for answer in one.answers), length_of(model)
    if longest + count >= room:
        raise HornbookError(
            f"{path}: an answer of {longest:,} tokens and {count:,} dense tokens before it leave no place for the "
            f"question, since the model has {room:,} places: give a smaller --count, shorter answers or a longer model"
        )
    return TriedQuestions(*parts)


def read_own(path: Path) -> list[Question]:
    """Read a file with a JSON object in each line that has a "question" and an "answer".

    Raises HornbookError for a file that can't be read, and for a line that lacks one of them.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise HornbookError(
            f"{path}: can't be read ({one_line(error)}): name a file of JSON lines"
        ) from error
    found = [
        _question(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()
    ]
    if not found:
        raise HornbookError(f"{path}: has no questions: write a JSON object in each line")
    return found


def hold_out(questions: list[Question], path: Path) -> tuple[list[Question], list[Question]]:
    """Draw a fifth of the questions, which isn't learned; one that is there twice is on one side only.

    It is asked once, since intervals would take the second time for news. Raises HornbookError for fewer than five
    different questions.
    """
    different = [*dict.fromkeys(one.context for one in questions)]
    if len(different) < _FEWEST:
        raise HornbookError(
            f"{path}: has {len(different)} different questions, and a fifth is held out: give at least {_FEWEST}"
        )
    drawn = permute(np.arange(len(different) // _FEWEST), len(different), key(0, "held-out questions"))
    asked = {different[number] for number in drawn}
    learned = [one for one in questions if one.context not in asked]
    return learned, [*dict.fromkeys(one for one in questions if one.context in asked)]


def _question(line: str, where: str) -> Question:
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise HornbookError(f"{where}: is no JSON ({error}): write an object in each line") from error
    for name in ("question", "answer"):
        if not isinstance(row, dict) or not isinstance(row.get(name), str) or not row[name].strip():
            raise HornbookError(
                f'{where}: has no {name}: write {{"question": "...", "answer": "..."}}, with text in both, or delete '
                "the line"
            )
    question, answer = row["question"], row["answer"].strip()
    return Question(question, (answer if question[-1].isspace() else f" {answer}",), 0)
