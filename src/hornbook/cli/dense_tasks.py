"""`hornbook dense tasks`: public tasks with and without dense tokens."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hornbook.cli.app import Json, print_json, print_table
from hornbook.cli.dense import dense, load_model
from hornbook.errors import HornbookError

if TYPE_CHECKING:
    from hornbook.evaluation.answers import Answers

_AGAINST = (
    "A folder trained with {} on the same words, to compare with; one for each model. Else the model itself."
)

_ALSO = "A folder trained with {}, to compare with, too; one for each model."


@dense.command()
def tasks(
    models: Annotated[
        list[Path], typer.Argument(help="Any causal model's folder; several are seeds of the same.")
    ],
    task: Annotated[
        list[str] | None,
        typer.Option(help="openbookqa, hellaswag or gsm8k; may be repeated; all by default."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="A folder with the tasks' files, or one's file; else the hub.")
    ] = None,
    pause: Annotated[list[Path] | None, typer.Option(help=_AGAINST.format("pause tokens"))] = None,
    plain: Annotated[list[Path] | None, typer.Option(help=_AGAINST.format("neither"))] = None,
    detached: Annotated[list[Path] | None, typer.Option(help=_ALSO.format("detached vectors"))] = None,
    same_compute: Annotated[
        list[Path] | None, typer.Option(help=_ALSO.format("neither, for as much compute"))
    ] = None,
    deeper: Annotated[list[Path] | None, typer.Option(help=_ALSO.format("neither and more layers"))] = None,
    count: Annotated[int, typer.Option(min=1, help="Dense tokens between question and answer.")] = 4,
    limit: Annotated[int, typer.Option(min=1, help="Questions of each task at most.")] = 1500,
    difference: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="The difference that you would like to see, as a share.")
    ] = 0.05,
    seed: Annotated[int, typer.Option(help="Of the random vectors.")] = 0,
    json: Json = False,
) -> None:
    """Ask a model questions with dense tokens before the answer, without, with pause tokens and with random vectors.

    How many questions it takes to see a difference is told first: small models are near chance. "Per byte" is right by
    the likelihood of each byte, which doesn't favour short answers; bits per byte are those of the right answers.
    """
    from hornbook.dense.prove.statistics import needed
    from hornbook.dense.public_tasks import ARMS, answer_with, compare
    from hornbook.evaluation.questions import TASKS, find_task, read_questions
    from hornbook.training.progress import Reporter

    folders = dict.fromkeys(("plain", "pause", "random", "dense"), models)
    others = {
        "pause": pause,
        "plain": plain,
        "detached": detached,
        "same compute": same_compute,
        "deeper": deeper,
    }
    for arm, given in others.items():
        if given and len(given) != len(models):
            raise HornbookError(
                f"--{arm.replace(' ', '-')} names {len(given)} folders for {len(models)} models: name one for each"
            )
        if given:
            folders[arm] = given
    chosen = {name: find_task(name) for name in task or TASKS}
    questions = {name: read_questions(one, data, limit) for name, one in chosen.items()}
    report = Reporter()
    for name, one in chosen.items():
        enough = needed(difference, max(one.chance, 0.02))
        report.say(
            f"{name}: {len(questions[name]):,} questions; to see a difference of {100 * difference:g} points between "
            f"models at {100 * max(one.chance, 0.02):g} %, in four of five tries, takes {enough:,}"
        )
    answers: dict[str, dict[str, list[Answers]]] = {name: {arm: [] for arm in folders} for name in chosen}
    with report.shares() as tell:
        for arm, places in folders.items():
            for place in places:
                model, tokenizer = load_model(place)
                for name, asked in questions.items():

                    def progress(share: float, what: str = f"{name}, {arm}, {place.name}") -> None:
                        tell(what, share)

                    found = answer_with(model, tokenizer, asked, ARMS[arm], count, seed, progress)
                    answers[name][arm].append(found)
    compared = {name: compare(ways) for name, ways in answers.items()}
    if json:
        print_json(compared)
        return
    for name, rows in compared.items():
        print(f"\n{name}, {len(questions[name]):,} questions")
        print_table(
            [
                {
                    "read": way,
                    "right, %": _shown(row["right"]),
                    "per byte": f"{100 * row['right by likelihood per byte']['mean']:.1f}",
                    "bits/byte": round(row["bits per byte of right endings"], 3),
                    "dense ahead": _shown(row["dense is ahead by"]),
                    "p": row["p"],
                }
                for way, row in rows.items()
            ]
        )


def _shown(share: dict[str, float] | None) -> str | None:
    """Write a share in per cent with its interval."""
    if share is None:
        return None
    mean, low, high = (f"{100 * share[name]:.1f}" for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"
