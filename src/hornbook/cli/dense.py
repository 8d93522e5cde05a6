"""`hornbook dense`: commands for dense tokens."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hornbook.cli.app import app, quieten_transformers
from hornbook.errors import HornbookError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from hornbook.dense.model import DenseModel
    from hornbook.dense.selection import Selection

dense = typer.Typer(
    name="dense", help="Dense tokens: a model passes itself a vector instead of a word.", no_args_is_help=True
)
app.add_typer(dense)


def load_model(folder: Path) -> "tuple[DenseModel, PreTrainedTokenizerBase]":
    """Open a causal model for work on many texts, with its dense token, or with a new one."""
    from hornbook.dense.folder import wrap_folder
    from hornbook.machine import use_threads
    from hornbook.training.heap import keep_heap

    quieten_transformers()
    use_threads()
    keep_heap()
    return wrap_folder(folder)


def open_pair(model: Path, selection: Path) -> "tuple[DenseModel, PreTrainedTokenizerBase, Selection]":
    """Open a model and a selection; raises HornbookError unless the same tokenizer made both."""
    from hornbook.dense.selection import Selection
    from hornbook.tokenizers import tokenizer_hash

    wrapped, tokenizer = load_model(model)
    kept = Selection.open(selection)
    if kept.facts["tokenizer"] != (used := tokenizer_hash(tokenizer)):
        raise HornbookError(
            f"{selection}: tokenizer {kept.facts['tokenizer'][:12]} made it, {model} has {used[:12]}: select with that "
            "model"
        )
    return wrapped, tokenizer, kept
