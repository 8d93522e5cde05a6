"""`hornbook dense train`: phase 2, training on text with dense tokens in it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hornbook.cli.app import Json, Settings
from hornbook.cli.dense import dense
from hornbook.cli.output import print_json, print_table
from hornbook.console import make_reporter


@dense.command()
def train(
    model: Annotated[
        Path, typer.Argument(readable=False, help="The folder of the causal model that made the selection.")
    ],
    selection: Annotated[Path, typer.Argument(readable=False, help="What `hornbook dense select` wrote.")],
    out: Annotated[Path, typer.Argument(help="Where the trained model goes.")],
    recipe: Annotated[
        Path | None, typer.Option(help="A recipe, of which the section training is read.")
    ] = None,
    settings: Settings = None,
    steps: Annotated[int | None, typer.Option(hidden=True)] = None,
    batch: Annotated[int | None, typer.Option(hidden=True)] = None,
    learning_rate: Annotated[float | None, typer.Option(hidden=True)] = None,
    arm: Annotated[
        Literal["dense", "pause", "plain"], typer.Option(help="With vectors, tokens alone, or neither.")
    ] = "dense",
    rounds: Annotated[int, typer.Option(min=-1, help="Rounds of filling; -1 fills one by one.")] = 1,
    crossings: Annotated[
        int,
        typer.Option(min=-1, help="Vectors that a gradient may cross; -1 is any number, 0 detaches them."),
    ] = -1,
    weight: Annotated[float, typer.Option(min=0, help="Each crossing multiplies the gradient by it.")] = 1.0,
    producer_only: Annotated[
        bool, typer.Option(help="Train the making of vectors only, not the reading.")
    ] = False,
    emission: Annotated[float, typer.Option(min=0, help="Weight of learning to emit dense tokens.")] = 0.0,
    ahead: Annotated[
        float, typer.Option(min=0, help="Weight of also predicting the next word before the dense token.")
    ] = 0.0,
    seed: Annotated[int, typer.Option()] = 0,
    json: Json = False,
) -> None:
    """Train a model on a selection, and measure held-out words with and without dense tokens.

    Steps, optimizer, learning rate and schedule are those of a recipe's training section. A training that was cut off
    goes on where the same command is given again.
    """
    from hornbook.dense import train as learn

    report, settings = make_reporter(), settings or []
    moved = {"steps": steps, "batch": batch, "learning_rate": learning_rate}
    if moved := {name: value for name, value in moved.items() if value is not None}:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in moved)
        instead = [f"training.{name}={value}" for name, value in moved.items()]
        report.warn(f"{flags} will go away: write {' '.join(f'--set {one}' for one in instead)}")
        settings = [*instead, *settings]
    gradient = (crossings, weight, producer_only)
    figures = learn(
        model, selection, out, recipe, settings, arm, rounds, *gradient, emission, ahead, seed, report
    )
    if json:
        print_json({"model": str(out), **figures})
    else:
        print_table([{"": when, **found} for when, found in figures.items()], across=True)
