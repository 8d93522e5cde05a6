"""`hornbook dense`: commands for dense tokens."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hornbook.cli.app import app
from hornbook.quiet import quieten_transformers

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from hornbook.dense.model import DenseModel
    from hornbook.dense.selection import Selection

dense = typer.Typer(
    name="dense", help="Dense tokens: a model passes itself a vector instead of a word.", no_args_is_help=True
)
app.add_typer(dense)


def prepare() -> None:
    """Set up threads and memory for work on many texts."""
    from hornbook.machine import use_threads
    from hornbook.training.heap import keep_heap

    quieten_transformers()
    use_threads()
    keep_heap()


def load_model(folder: Path) -> "tuple[DenseModel, PreTrainedTokenizerBase]":
    """Open a causal model for work on many texts; if it has no dense token, it gets a new one."""
    from hornbook.dense.folder import wrap_folder

    prepare()
    return wrap_folder(folder)


def open_pair(model: Path, selection: Path) -> "tuple[DenseModel, PreTrainedTokenizerBase, Selection]":
    """Open a model and a selection; raises HornbookError unless the same tokenizer made both."""
    from hornbook.dense.selection import Selection

    wrapped, tokenizer = load_model(model)
    return wrapped, tokenizer, Selection.open_for(selection, tokenizer, model)
