"""A model with dense tokens in a folder: a plain Hugging Face one, with a small JSON beside it."""

import json
from pathlib import Path

import torch
from pydantic import ValidationError
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from hornbook.atomic import beside
from hornbook.dense.model import DenseModel
from hornbook.dense.options import DenseOptions
from hornbook.dense.token import add_dense_token
from hornbook.errors import HornbookError
from hornbook.hub import fetch
from hornbook.tokenizers import load
from hornbook.tokenizers.load import FILES

_FILE = "dense.json"


def save_dense(model: DenseModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write what AutoModelForCausalLM and AutoTokenizer open, where dense tokens then act as pause tokens.

    `dense.json` holds the options, so that `open_dense` gives the very same model. The folder is written beside and
    renamed.
    """
    with beside(folder, folder=True) as new:
        write_dense(model, tokenizer, new)


def write_dense(model: DenseModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write the files of `save_dense` into a folder that is there."""
    model.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / _FILE).write_text(json.dumps(model.options.model_dump(), indent=2), "utf-8")


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
        options = DenseOptions.model_validate_json((folder / _FILE).read_text("utf-8"))
    except (OSError, ValidationError) as error:
        raise HornbookError(f"{folder / _FILE}: can't be read ({_line(error)}): copy it again") from error
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
    """Open any causal model's folder, or a run's, or one on the hub, and add the dense token, or open one that has it.

    Raises HornbookError for what holds no causal model or can't be fetched, and for other options than it was saved
    with.
    """
    folder = _place(folder)
    if (folder / _FILE).is_file():
        model, tokenizer = open_dense(folder, dtype)
        if options is not None and options != model.options:
            raise HornbookError(
                f"{folder}: its dense tokens are {model.options.model_dump()}, not {options.model_dump()}: leave the "
                "options out, or take the model as it was before"
            )
        return model, tokenizer
    options = options or DenseOptions()
    plain, tokenizer = _open(folder, dtype), load(str(folder))
    return DenseModel(plain, add_dense_token(plain, tokenizer, options.token), options), tokenizer


def _place(folder: Path) -> Path:
    """Find the model in a run's folder, or fetch one that is named as on the hub."""
    if not folder.exists():
        folder = fetch(str(folder), "model", [*FILES, _FILE, "*.safetensors", "*.safetensors.index.json"])
    run = not (folder / "config.json").is_file() and (folder / "model" / "config.json").is_file()
    return folder / "model" if run else folder


def _open(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """Open a folder as a causal model, and nothing that its config doesn't call one."""
    if not (folder / "config.json").is_file():
        raise HornbookError(f"{folder} holds no model (it has no config.json): name a folder that does")
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        classes = config.architectures or []
        if classes and not classes[0].endswith(("ForCausalLM", "LMHeadModel")):
            raise HornbookError(
                f"{folder}: it holds a {classes[0]}, which is no causal model, and only one that reads from left to "
                "right can pass itself a vector: give one such as GPTNeoXForCausalLM"
            )
        model, loading = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except HornbookError:
        raise
    except Exception as error:  # safetensors, JSON and transformers each have their own
        raise HornbookError(
            f"{folder} can't be opened as a causal model ({_line(error)}): copy it again"
        ) from error
    if loading["missing_keys"]:
        raise HornbookError(
            f"{folder} lacks {len(loading['missing_keys'])} weights of {type(model).__name__}, such as "
            f"{sorted(loading['missing_keys'])[0]}: copy it again"
        )
    return model


def _line(error: Exception) -> str:
    return " ".join((str(error).strip() or type(error).__name__).split())[:200]
