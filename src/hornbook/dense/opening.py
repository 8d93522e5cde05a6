"""Open what the functions take: a model with dense tokens, and a selection beside it."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from transformers import PreTrainedTokenizerBase

from hornbook.atomic import beside
from hornbook.dense_tokens import DenseModel
from hornbook.dense_tokens.folder import wrap_folder
from hornbook.dense_tokens.selection import Selection
from hornbook.errors import HornbookError
from hornbook.loading.model import Loadable
from hornbook.quiet import quieten_transformers
from hornbook.recipe.problems import explain
from hornbook.section import Section
from hornbook.threads import use_threads
from hornbook.training.heap import keep_heap

_Section = TypeVar("_Section", bound=Section)
Place = Loadable | Path | str
"""Where a causal model is: its folder, a run, or a name on the hub."""


def folder_of(model: Place) -> Path:
    """Give the folder of a model, from which it is opened anew."""
    folder = model if isinstance(model, Path | str) else getattr(model, "folder", None)
    if folder is None:
        raise HornbookError(
            f"the model is of the type {type(model).__name__}, and dense tokens are added to a folder's model: give a "
            "run or a folder, such as save_pretrained of model and tokenizer writes"
        )
    return Path(folder)


def checked(kind: type[_Section], **values: Any) -> _Section:
    """Make a section of options. Raises HornbookError with all that is wrong of them."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise HornbookError(
            "; ".join(line for one in error.errors() for line in explain(dict(one)))
        ) from error


def prepare() -> None:
    """Set up threads and memory for work on many texts."""
    quieten_transformers()
    use_threads()
    keep_heap()


def open_model(model: Place) -> tuple[DenseModel, PreTrainedTokenizerBase]:
    """Open a causal model for work on many texts; if it has no dense token, it gets a new one."""
    prepare()
    return wrap_folder(folder_of(model))


def open_pair(model: Place, selection: Path | str) -> tuple[DenseModel, PreTrainedTokenizerBase, Selection]:
    """Open a model and a selection; raises HornbookError unless the same tokenizer made both."""
    wrapped, tokenizer = open_model(model)
    return wrapped, tokenizer, Selection.open_for(Path(selection), tokenizer, folder_of(model))


def write_figures(found: dict[str, Any], path: Path) -> None:
    """Write figures as JSON."""
    with beside(path) as file:
        file.write_text(json.dumps(found, indent=2), "utf-8")
