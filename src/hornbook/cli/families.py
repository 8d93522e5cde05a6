"""`hornbook families`: the known architectures and sizes."""

import typer

from hornbook.cli.app import Json, app
from hornbook.cli.output import print_json, print_table

families = typer.Typer(name="families", help="List families and presets, or describe one.")
app.add_typer(families)


@families.callback(invoke_without_command=True)
def list_presets(context: typer.Context, json: Json = False) -> None:
    """List the families and their presets, with the sizes that are published for them."""
    if context.invoked_subcommand is not None:
        return
    from hornbook.presets import presets

    rows = presets()
    if json:
        print_json(rows)
    else:
        shown = ("preset", "family", "published parameters", "published vocabulary", "published positions")
        print_table([{name.removeprefix("published "): row[name] for name in shown} for row in rows])
        print("\nAs published. --json has objectives and sources, `families describe` the rest.")
