"""The folder of a model with dense tokens: a plain Hugging Face folder with one more JSON file."""

from pathlib import Path

import torch
from pydantic import ValidationError
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hornbook.atomic import beside
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.options import DenseOptions
from hornbook.dense_tokens.token import add_dense_token
from hornbook.errors import HornbookError, one_line
from hornbook.families.weights import read_model
from hornbook.gate import read_small
from hornbook.hub import fetch
from hornbook.loading.kind import recognise, refuse_foreign
from hornbook.loading.model import finished
from hornbook.objectives import READING
from hornbook.tokenizers import load
from hornbook.tokenizers.load import FILES

_FILE = "dense.json"
_READS = "left to right"


def save_dense(model: DenseModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a folder that AutoModelForCausalLM and AutoTokenizer open; dense tokens then act as pause tokens.

    `dense.json` holds the options, so that `open_dense` returns the very same model. The folder is written under
    another name, then renamed.
    """
    with beside(folder, folder=True) as new:
        write_dense(model, tokenizer, new)


def write_dense(model: DenseModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write the files of `save_dense` into an existing folder."""
    model.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / _FILE).write_text(model.options.model_dump_json(indent=2, exclude_none=True), "utf-8")


def has_dense(folder: Path) -> bool:
    """Tell whether a folder on this machine holds a model with dense tokens."""
    return ((finished(folder) or folder) / _FILE).is_file()


def open_dense(
    folder: Path, dtype: torch.dtype = torch.float32
) -> tuple[DenseModel, PreTrainedTokenizerBase]:
    """Open a folder that `save_dense` wrote.

    Raises HornbookError for a folder without the token, which `wrap_folder` adds.
    """
    folder = _place(folder)
    if not (folder / _FILE).is_file():
        raise HornbookError(
            f"{folder}: there is no {_FILE} in it, so it has no dense token: add one with `hornbook dense add`"
        )
    try:
        options = DenseOptions.model_validate_json(read_small(folder / _FILE))
    except ValidationError as error:
        raise HornbookError(f"{folder / _FILE}: can't be read ({one_line(error)}): copy it again") from error
    model, tokenizer = _open(folder, dtype), load(str(folder))
    if options.token not in tokenizer.get_vocab():
        raise HornbookError(
            f"{folder}: {_FILE} names {options.token}, which its tokenizer doesn't have: put the tokenizer there that "
            "was saved with it"
        )
    return DenseModel(model, add_dense_token(model, tokenizer, options.token), options), tokenizer


def wrap_folder(
    folder: Path, options: DenseOptions | None = None, dtype: torch.dtype = torch.float32
) -> tuple[DenseModel, PreTrainedTokenizerBase]:
    """Open a causal model and add the dense token, unless it has one.

    `folder` is a model's folder, a run's folder, or a name on the hub. Raises HornbookError if it holds no causal model
    or can't be fetched, and if the model was saved with other options.
    """
    folder = _place(folder)
    if (folder / _FILE).is_file():
        model, tokenizer = open_dense(folder, dtype)
        own, given = (one and one.model_dump(exclude={"trained_rounds"}) for one in (model.options, options))
        if given and given != own:
            raise HornbookError(
                f"{folder}: its dense tokens are {own}, not {given}: leave the options out, or take the model as it "
                "was before"
            )
        return model, tokenizer
    options = options or DenseOptions()
    plain, tokenizer = _open(folder, dtype), load(str(folder))
    return DenseModel(plain, add_dense_token(plain, tokenizer, options.token), options), tokenizer


def _place(folder: Path) -> Path:
    """Find the model in a run's folder, or fetch a model from the hub."""
    if not folder.exists():
        folder = fetch(str(folder), "model", [*FILES, _FILE, "*.safetensors", "*.safetensors.index.json"])
    return finished(folder) or folder


def _open(path: Path, dtype: torch.dtype) -> PreTrainedModel:
    """Open a folder whose config names a causal model; refuse any other."""
    kind = recognise(path, trust=None)
    refuse_foreign(kind.folder)
    if kind.head != "causal" or kind.model_class is None:
        raise HornbookError(
            f"{path}: it holds a {kind.architecture or f'model of type {kind.model_type}'}, which is no causal model, "
            "and only one that reads from left to right can pass itself a vector: give one such as GPTNeoXForCausalLM"
        )
    if (reading := kind.folder.config.get(READING, _READS)) != _READS:
        raise HornbookError(
            f"{path}: it learned to read {reading}, and dense tokens read {_READS}: give a model that does"
        )
    with kind.folder.harmless() as place:
        return read_model(kind.model_class, place, dtype)
