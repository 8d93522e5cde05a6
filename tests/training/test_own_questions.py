"""Questions of one's own: what is refused, and what is held out."""

import json
from pathlib import Path

import pytest

from hornbook.errors import HornbookError
from hornbook.evaluation.questions import Question
from hornbook.training.own_questions import hold_out, read_own


def test_lines_become_questions(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    rows = [
        {"question": "What is 1 and 2?", "answer": "3"},
        {"question": "Q: \u0645\nA: ", "answer": " x ", "more": 1},
    ]
    file.write_text("\n\n".join(map(json.dumps, rows)))
    assert read_own(file) == [
        Question("What is 1 and 2?", (" 3",), 0),
        Question("Q: \u0645\nA: ", ("x",), 0),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"question": "Why?"}', "line 2: has no answer"),
        ('{"question": "Why?", "answer": " "}', "line 2: has no answer"),
        ('{"question": "Why?", "answer": 4}', "line 2: has no answer"),
        ('{"answer": "so"}', "line 2: has no question"),
        ("[1]", "line 2: has no question"),
        ("{", "line 2: is no JSON"),
    ],
)
def test_a_line_without_either_is_refused(line: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"question": "Who?", "answer": "I"}\n' + line)
    with pytest.raises(HornbookError, match=f"^[^\n]*mine.jsonl, {told}[^\n]*: write [^\n]*$"):
        read_own(file)


def test_files_without_questions(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(HornbookError, match="has no questions"):
        read_own(tmp_path / "empty.jsonl")
    with pytest.raises(HornbookError, match="can't be read"):
        read_own(tmp_path / "nowhere.jsonl")
    four = [Question(f"{number}?", (" x",), 0) for number in (0, 1, 2, 3, 3)]
    with pytest.raises(
        HornbookError, match="4 different questions, and a fifth is held out: give at least 5"
    ):
        hold_out(four, Path("mine.jsonl"))
    assert len(hold_out([*four, Question("4?", (" x",), 0)], Path("mine.jsonl"))[1]) in (1, 2)


def test_a_fifth_is_held_out_and_never_learned() -> None:
    questions = [Question(f"{number % 50}?", (f" {number}",), 0) for number in range(75)]
    learned, asked = hold_out(questions, Path("mine.jsonl"))
    assert sorted([*learned, *asked], key=questions.index) == questions
    sides = [{one.context for one in part} for part in (learned, asked)]
    assert not sides[0] & sides[1] and len(sides[1]) == 10
    assert hold_out(questions, Path("mine.jsonl")) == (learned, asked)
    twice = hold_out([*questions, *questions], Path("mine.jsonl"))
    assert twice == ([*learned, *learned], asked)
