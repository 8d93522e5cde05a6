"""`hornbook dense experiments`: measure one vector, several vectors, two rounds, and the deletion of useless ones."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json
from hornbook.cli.dense import dense
from hornbook.cli.output import print_json, print_table
from hornbook.console import make_reporter


@dense.command()
def experiments(
    model: Annotated[
        Path, typer.Argument(readable=False, help="The folder of the causal model that made the selection.")
    ],
    selection: Annotated[Path, typer.Argument(readable=False, help="What `hornbook dense select` wrote.")],
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = Path("runs/dense-experiments.json"),
    steps: Annotated[int, typer.Option(min=1, help="Steps of each training.")] = 200,
    batch: Annotated[int, typer.Option(min=1, help="Texts in a step.")] = 32,
    learning_rate: Annotated[float, typer.Option(min=1e-9)] = 1e-4,
    texts: Annotated[int, typer.Option(min=2, help="Held-out texts that get one vector.")] = 64,
    following: Annotated[int, typer.Option(min=4, help="Words after the vector.")] = 24,
    seed: Annotated[int, typer.Option()] = 0,
    json: Json = False,
) -> None:
    """Run the four experiments on a model: one vector, several, two rounds, deletion."""
    from hornbook.dense import experiments as run

    found = run(model, selection, out, steps, batch, learning_rate, texts, following, seed, make_reporter())
    if json:
        print_json(found)
        return
    print(f"1. One vector in each of {found['one vector']['texts']} held-out texts, nats a word after it")
    single = {"before training": found["one vector"]} | {
        f"after {name}": one["one vector"] for name, one in found["trained"].items() if "one vector" in one
    }
    print_table(
        [
            {"vector": name}
            | {
                f"{when}, {span}": one["nats"][name][span]
                for when, one in single.items()
                for span in one["nats"][name]
            }
            for name in found["one vector"]["nats"]
        ]
    )
    print(f"\n2 and 3. Trained for {steps:,} steps, bits per byte of held-out words")
    before = next(iter(found["trained"].values()))["before"]
    rows = {"before": before} | {name: one["after"] for name, one in found["trained"].items()}
    print_table([{"trained with": name, **figures} for name, figures in rows.items()])
    told = found["deletion"]
    print(
        f"\n4. Deletion after depth 1: {told['deleted']:,} of {told['dense tokens']:,} dense tokens. Nats a word: "
        f"before {told['before']:.4f}, after {told['after']:.4f}, as many by chance {told['as many by chance']:.4f}"
    )
