"""Read a saved model back, and refuse an incomplete one."""

import copy
from pathlib import Path
from typing import Literal

import torch
from transformers import AutoConfig, PreTrainedModel

from hornbook.errors import HornbookError
from hornbook.families.positions import class_for
from hornbook.gate import check_finite, check_room


def read_weights(
    model_class: type[PreTrainedModel], folder: Path | str, dtype: torch.dtype | Literal["auto"]
) -> tuple[PreTrainedModel, list[str]]:
    """Read a model from safetensors, and name the weights that its class needs and the files lack.

    Raises the errors of transformers, and HornbookError for a model that is far larger than its files. Nothing is
    fetched and nothing is unpickled.
    """
    config = model_class.config_class.from_pretrained(folder, local_files_only=True)
    model_class = class_for(model_class, config)
    with torch.device("meta"):
        empty = model_class(copy.deepcopy(config))  # the class writes into the config that it gets
    check_room(empty, Path(folder).glob("*.safetensors"), folder)
    model, loading = model_class.from_pretrained(
        folder, dtype=dtype, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    return model, sorted(loading["missing_keys"])


def read_model(
    model_class: type[PreTrainedModel], folder: Path | str, dtype: torch.dtype | Literal["auto"]
) -> PreTrainedModel:
    """Read what `save_pretrained` wrote: in evaluation mode and in `dtype`; "auto" keeps the saved dtype.

    Raises HornbookError where the folder holds no such model, lacks some of its weights, or holds some that are no
    numbers. Nothing is fetched and nothing is unpickled.
    """
    if not (Path(folder) / "config.json").is_file():
        raise HornbookError(f"{folder} holds no model (it has no config.json); name a folder that does")
    try:
        found = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False).model_type
        needed = model_class.config_class.model_type
        if found != needed:
            raise ValueError(f"its model_type is {found}, not {needed}")
        model, missing = read_weights(model_class, folder, dtype)
    except HornbookError:
        raise
    except Exception as error:  # safetensors, JSON and transformers each raise their own errors
        reason = str(error).split("\n")[0]
        raise HornbookError(
            f"{folder} can't be opened as {model_class.__name__}: {reason}; open another checkpoint"
        ) from error
    return refuse_incomplete(model, missing, folder)


def refuse_incomplete(model: PreTrainedModel, missing: list[str], folder: Path | str) -> PreTrainedModel:
    """Give a model back that was read from a folder; raises HornbookError for weights that lack or are no numbers."""
    if missing:
        raise HornbookError(
            f"{folder} lacks {len(missing)} weights of {type(model).__name__}, such as {missing[0]}; "
            "open it with the head that it was trained with, or copy it again"
        )
    check_finite(model, folder)
    return model
