"""`hornbook dense`: commands for dense tokens."""

import typer

from hornbook.cli.app import app

dense = typer.Typer(
    name="dense", help="Dense tokens: a model passes itself a vector instead of a word.", no_args_is_help=True
)
app.add_typer(dense)
