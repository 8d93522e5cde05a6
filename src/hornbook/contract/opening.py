"""Open untrusted folders with transformers: from a harmless copy, without output, and keeping the failure."""

import copy
import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from transformers import AutoTokenizer, PretrainedConfig, PreTrainedTokenizerFast

from hornbook.errors import one_line
from hornbook.families.positions import class_for
from hornbook.families.weights import read_weights
from hornbook.gate import Folder
from hornbook.internals import make_random
from hornbook.loading.kind import class_of, guess_model_type
from hornbook.quiet import quiet
from hornbook.tokenizers import Head

_PARAMETERS = 300_000_000


class ModelOrFailure(NamedTuple):
    """A model, or why there is none."""

    model: nn.Module | None = None
    missing: frozenset[str] = frozenset()
    """Weights that its class needs and the files lack."""
    failure: str | None = None
    """Why it can't be made."""
    too_large: str | None = None
    """Why it wasn't built: its size, and the largest size that is built."""


def copy_harmless(folder: Folder, place: Path, weights: bool) -> Path:
    """Write a copy without code to `place`; a missing model_type becomes the one that its name tells."""
    if not place.exists():
        place.mkdir()
        folder.copy_to(place, weights)
        config = place / "config.json"
        if config.exists() and "model_type" not in folder.config and (kind := guess_model_type(folder)):
            facts = json.loads(config.read_text("utf-8")) | {"model_type": kind}
            config.write_text(json.dumps(facts), "utf-8")
    return place


def open_tokenizer(place: Path) -> tuple[Any, str | None]:
    """Open a tokenizer with AutoTokenizer, or else its tokenizer.json as it stands; say why AutoTokenizer failed."""
    failure = None
    for opener in (AutoTokenizer, PreTrainedTokenizerFast):
        try:
            with quiet():
                opened = opener.from_pretrained(place, local_files_only=True)
                # Some real folders pad and truncate by default, which would change what the backend gives the checks.
                opened.backend_tokenizer.no_padding()  # a class written in Python has no backend
                opened.backend_tokenizer.no_truncation()
            return opened, failure
        except Exception as error:  # transformers has no single exception for what it can't open
            failure = failure or one_line(error)
    return None, failure


def open_model(
    place: Path, config: PretrainedConfig, architecture: str | None, head: Head, weighted: bool
) -> ModelOrFailure:
    """Make the model of a folder, unless it is too large; without weights, it has few layers, drawn at random."""
    model_class = class_of(config.model_type, architecture, head)
    if model_class is None:
        return ModelOrFailure()
    model_class = class_for(model_class, config)
    try:
        built = copy.deepcopy(config) if weighted else _shallow(copy.deepcopy(config))
        with torch.device("meta"), quiet():
            empty = model_class(copy.deepcopy(built))  # the class writes into the config that it gets
        size = sum(parameter.numel() for parameter in empty.parameters())
        if size > _PARAMETERS:
            return ModelOrFailure(
                too_large=f"the model has {size:,} parameters, more than the doctor's limit of {_PARAMETERS:,}"
            )
        with quiet(), torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            if weighted:
                model, missing = read_weights(model_class, place, torch.float32)
                return ModelOrFailure(model, frozenset(missing))
            return ModelOrFailure(make_random(model_class, built))
    except Exception as error:  # torch, safetensors and transformers each have their own
        return ModelOrFailure(failure=one_line(error))


def _shallow(config: PretrainedConfig) -> PretrainedConfig:
    """Limit a model with random weights to two layers: a probe learns no more from twelve."""
    for name in ("num_hidden_layers", "num_decoder_layers"):
        # If the config lists its layers one by one, their number stays.
        if (getattr(config, name, 0) or 0) > 2 and not hasattr(config, "attention_layers"):
            setattr(config, name, 2)
    if hasattr(config, "layer_types"):
        config.layer_types = config.layer_types[:2]
    return config
