"""`hornbook dense delete`: take useless dense tokens out of a selection."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json
from hornbook.cli.dense import dense
from hornbook.cli.output import print_json
from hornbook.console import make_reporter


@dense.command()
def delete(
    model: Annotated[
        Path, typer.Argument(readable=False, help="A folder that `hornbook dense train` wrote.")
    ],
    selection: Annotated[Path, typer.Argument(readable=False, help="The selection that it was trained on.")],
    out: Annotated[Path, typer.Argument(help="Where to write the selection without them.")],
    rounds: Annotated[int, typer.Option(min=-1, help="Rounds of filling; -1 fills one by one.")] = -1,
    seed: Annotated[int, typer.Option(help="Seed of the tokens deleted by chance, to compare with.")] = 0,
    json: Json = False,
) -> None:
    """Find dense tokens that don't make the words likelier, and delete them.

    A first-order score finds them, and exact scoring confirms each. To go on training with the rest, give the model and
    the new selection to `hornbook dense train`.
    """
    from hornbook.dense import delete as drop

    told = drop(model, selection, out, rounds, seed, make_reporter()).facts["deleted"]
    if json:
        print_json({"selection": str(out), **told})
        return
    print(
        f"{out}: {told['deleted']:,} of {told['dense tokens']:,} dense tokens deleted. {told['suspected']:,} were "
        f"suspected of doing harm; scored one by one, {told['confirmed']:,} do. Loss of the words, in {told['unit']}:"
    )
    for name in ("before", "after", "as many by chance"):
        print(f"  {name}: {told[name]:.4f}")
