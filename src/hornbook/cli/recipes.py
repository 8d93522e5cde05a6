"""`hornbook recipes`: the recipes and studies that come with Hornbook, listed or copied."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json, app
from hornbook.cli.output import print_json, print_table

recipes = typer.Typer(
    name="recipes", help="List the recipes and studies that come with Hornbook, or copy one."
)
app.add_typer(recipes)


@recipes.callback(invoke_without_command=True)
def list_recipes(context: typer.Context, json: Json = False) -> None:
    """List the recipes and studies that come with Hornbook; each command takes their names in place of a path."""
    if context.invoked_subcommand is not None:
        return
    from hornbook.shipped import about, shipped

    rows = [{"name": name, "what it is": about(name)} for name in shipped()]
    print_json(rows) if json else print_table(rows)


@recipes.command()
def copy(
    name: Annotated[str, typer.Argument(help="A name that `hornbook recipes` lists.")],
    out: Annotated[Path | None, typer.Argument(help="The new file; by default the name, here.")] = None,
) -> None:
    """Copy a recipe or study, to change it."""
    from hornbook.atomic import check_new
    from hornbook.errors import HornbookError
    from hornbook.shipped import near, shipped

    if name not in shipped():
        raise HornbookError(f"{name}: no such recipe comes with Hornbook: {near(Path(name))}")
    path = out or Path(f"{name.rpartition('/')[2]}.yaml")
    check_new(path)
    path.write_bytes(shipped()[name].read_bytes())
    print(path)
