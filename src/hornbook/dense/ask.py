"""Ask public tasks of models with dense tokens, and of the models that they are compared with."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hornbook.dense.folder import wrap_folder
from hornbook.dense.prove.statistics import needed
from hornbook.dense.public_tasks import ARMS, answer_with, compare
from hornbook.errors import HornbookError
from hornbook.evaluation.answers import Answers
from hornbook.evaluation.questions import TASKS, find_task, read_questions
from hornbook.reporter import Reporter


def ask(
    models: Sequence[Path],
    others: Mapping[str, Sequence[Path] | None],
    tasks: Sequence[str] | None = None,
    data: Path | None = None,
    count: int = 4,
    limit: int = 1500,
    difference: float = 0.05,
    seed: int = 0,
    report: Reporter | None = None,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Ask the same questions in four ways, and return the figures by task and way.

    Before the answer stand no extra tokens, or `count` pause tokens, tokens with random vectors, or dense tokens.
    `models` are folders of causal models that differ only in their seed. By default the models themselves answer in
    all four ways; `others` maps a way to folders of models that were trained for it, one for each model. First,
    `report` says how many questions it takes to see a `difference` (a share, such as 0.05). Raises HornbookError where
    `others` names more or fewer folders than there are models.
    """
    report = report or Reporter()
    folders = dict.fromkeys(("plain", "pause", "random", "dense"), models)
    for arm, given in others.items():
        if given and len(given) != len(models):
            raise HornbookError(
                f"--{arm.replace(' ', '-')} names {len(given)} folders for {len(models)} models: name one for each"
            )
        if given:
            folders[arm] = given
    chosen = {name: find_task(name) for name in tasks or TASKS}
    questions = {name: read_questions(one, data, limit) for name, one in chosen.items()}
    for name, one in chosen.items():
        chance = max(one.chance, 0.02)
        report.say(
            f"{name}: {len(questions[name]):,} questions; to see a difference of {100 * difference:g} points between "
            f"models at {100 * chance:g} %, in four of five tries, takes {needed(difference, chance):,}"
        )
    answers: dict[str, dict[str, list[Answers]]] = {name: {arm: [] for arm in folders} for name in chosen}
    with report.shares() as tell:
        for arm, places in folders.items():
            for place in places:
                model, tokenizer = wrap_folder(place)
                for name, asked in questions.items():
                    progress = partial(tell, f"{name}, {arm}, {place.name}")
                    found = answer_with(model, tokenizer, asked, ARMS[arm], count, seed, progress)
                    answers[name][arm].append(found)
    return {name: compare(ways) for name, ways in answers.items()}
