"""`hornbook tokenizer`: commands for tokenizers."""

import typer

from hornbook.cli.app import app

tokenizer = typer.Typer(
    name="tokenizer", help="Train, inspect and re-index tokenizers.", no_args_is_help=True
)
app.add_typer(tokenizer)
