"""`hornbook dense tasks`: public tasks with and without dense tokens."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli.app import Json
from hornbook.cli.dense import dense
from hornbook.cli.output import print_json, print_table
from hornbook.console import make_reporter

_AGAINST = "A folder trained with {} on the same words, in place of the model; one for each model."
_ALSO = "A folder trained with {}, also compared; one for each model."


@dense.command()
def tasks(
    models: Annotated[
        list[Path],
        typer.Argument(readable=False, help="A causal model's folder; several are seeds of one model."),
    ],
    task: Annotated[
        list[str] | None,
        typer.Option(help="openbookqa, hellaswag, gsm8k (the default); prosqa, with --data; repeatable."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="A folder with the tasks' files, or one task's file; else the hub.")
    ] = None,
    pause: Annotated[list[Path] | None, typer.Option(help=_AGAINST.format("pause tokens"))] = None,
    plain: Annotated[list[Path] | None, typer.Option(help=_AGAINST.format("no dense or pause token"))] = None,
    detached: Annotated[list[Path] | None, typer.Option(help=_ALSO.format("detached vectors"))] = None,
    same_compute: Annotated[
        list[Path] | None, typer.Option(help=_ALSO.format("no dense or pause token, for as much compute"))
    ] = None,
    deeper: Annotated[list[Path] | None, typer.Option(help=_ALSO.format("only more layers"))] = None,
    count: Annotated[int, typer.Option(min=1, help="Dense tokens between question and answer.")] = 4,
    limit: Annotated[int, typer.Option(min=1, help="Questions of each task at most.")] = 1500,
    difference: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="The difference that you want to see, as a share.")
    ] = 0.05,
    seed: Annotated[int, typer.Option(help="Seed of the random vectors.")] = 0,
    json: Json = False,
) -> None:
    """Ask a model questions: with dense tokens before the answer, without, with pause tokens, with random vectors.

    First it tells how many questions are needed to see a difference, since small models are near chance. "Per byte"
    chooses by likelihood per byte, which doesn't favour short answers. Bits per byte are those of the right answers.
    """
    from hornbook.dense import tasks as ask

    others = (pause, plain, detached, same_compute, deeper)
    compared = ask(models, task, data, *others, count, limit, difference, seed, make_reporter())
    if json:
        print_json(compared)
        return
    for name, rows in compared.items():
        print(f"\n{name}")
        print_table([row_of(way, figures) for way, figures in rows.items()])


def row_of(way: str, figures: dict[str, Any]) -> dict[str, Any]:
    """Make the row of one way of reading, for `print_table`."""
    return {
        "read": way,
        "right, %": _shown(figures["right"]),
        "per byte": f"{100 * figures['right by likelihood per byte']['mean']:.1f}",
        "bits/byte": round(figures["bits per byte of right endings"], 3),
        "dense ahead": _shown(figures["dense is ahead by"]),
        "p": figures["p"],
    }


def _shown(share: dict[str, float] | None) -> str | None:
    """Write a share in per cent with its interval."""
    if share is None:
        return None
    mean, low, high = (f"{100 * share[name]:.1f}" for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"
