"""Open a model and its tokenizer that are objects of transformers, and any other form in which people have a model."""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.loading.model import Loadable, LoadedModel, load_model

AnyModel = LoadedModel | Loadable | tuple[PreTrainedModel, PreTrainedTokenizerBase] | Path | str
"""A model as people have it: loaded, a run, a folder, or a model and its tokenizer as transformers has them."""


def load(model: AnyModel, trust: bool = False) -> LoadedModel:
    """Give a model ready for use: a folder's, a run's, `(model, tokenizer)` of transformers, or one that is loaded.

    A model of transformers is used as its `save_pretrained` writes it, so that the object itself stays as it is; who
    asks it often loads it once. Raises HornbookError as `load_model` does, and for anything else.
    """
    match model:
        case LoadedModel():
            return model
        case str() | Path():
            return load_model(model, trust)
        case (PreTrainedModel(), PreTrainedTokenizerBase()):
            return _of_objects(*model, trust)
    if isinstance(loaded := getattr(model, "loaded", None), LoadedModel):
        return loaded
    raise HornbookError(
        f"the model is {_told(model)}: give a folder, a run, what hornbook.load gave, or a model of transformers "
        "together with its tokenizer, as (model, tokenizer)"
    )


def _told(given: Any) -> str:
    if isinstance(given, PreTrainedModel):
        return f"{type(given).__name__} without its tokenizer"
    if isinstance(given, tuple | list):
        return f"a {type(given).__name__} of {', '.join(type(one).__name__ for one in given) or 'nothing'}"
    return f"of the type {type(given).__name__}"


def _of_objects(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, trust: bool) -> LoadedModel:
    scratch = TemporaryDirectory(prefix="hornbook-")
    place = Path(scratch.name)
    with _named(place, type(model).__name__):
        model.save_pretrained(place)
        tokenizer.save_pretrained(place)
        loaded = replace(load_model(place, trust), name=type(model).__name__)
    weakref.finalize(loaded, scratch.cleanup)  # what reads the folder again, as fine-tuning does, finds it
    return loaded


@contextmanager
def _named(place: Path, name: str) -> Iterator[None]:
    """Name the object in an error where a folder stands that nobody knows."""
    try:
        yield
    except HornbookError as error:
        raise type(error)(str(error).replace(str(place), name)) from None
