"""Opening untrusted folders with transformers: from a harmless copy, without a word, and with the failure kept."""

import copy
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from torch import nn
from transformers import AutoConfig, AutoTokenizer, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils import logging

from hornbook.contract.folder import Folder
from hornbook.errors import HornbookError
from hornbook.internals import make_random, read
from hornbook.tokenizers import Head

_PARAMETERS = 300_000_000
_LAYERS = 512  # more would take minutes merely to count

_CLASSES: dict[Head, Any] = {
    "causal": read("transformers.models.auto.modeling_auto:MODEL_FOR_CAUSAL_LM_MAPPING_NAMES"),
    "masked": read("transformers.models.auto.modeling_auto:MODEL_FOR_MASKED_LM_MAPPING_NAMES"),
    "seq2seq": read("transformers.models.auto.modeling_auto:MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES"),
}
_KNOWN = read("transformers.models.auto.configuration_auto:CONFIG_MAPPING")


class ModelOrFailure(NamedTuple):
    """A model, or why there is none."""

    model: nn.Module | None = None
    missing: frozenset[str] = frozenset()
    """What its class looked for among the weights in vain."""
    failure: str | None = None
    """Why it can't be made."""
    too_large: str | None = None
    """Why it wasn't even tried: its size, and the largest that is."""


def copy_harmless(folder: Folder, place: Path, weights: bool) -> Path:
    """Put a copy without code at `place`, with the model_type that transformers would guess written down."""
    if not place.exists():
        place.mkdir()
        folder.copy_to(place, weights)
        config = place / "config.json"
        if config.exists() and "model_type" not in folder.config and (kind := guess_model_type(folder)):
            facts = json.loads(config.read_text("utf-8")) | {"model_type": kind}
            config.write_text(json.dumps(facts), "utf-8")
    return place


def refuse_foreign(folder: Folder) -> None:
    """Raise HornbookError for an architecture that transformers itself doesn't know."""
    kind = folder.config.get("model_type") or guess_model_type(folder)
    if kind not in _KNOWN:
        code = "; the code that it brings is never run" if folder.code else ""
        raise HornbookError(
            f"{folder.path}: its model_type is {kind!r}, which transformers {transformers.__version__} doesn't know"
            f"{code}: give a folder of a known architecture"
        )


def open_tokenizer(place: Path) -> tuple[Any, str | None]:
    """Open what AutoTokenizer opens, or else tokenizer.json as it stands; and say why AutoTokenizer couldn't."""
    failure = None
    for opener in (AutoTokenizer, PreTrainedTokenizerFast):
        try:
            with quiet():
                opened = opener.from_pretrained(place, local_files_only=True)
                opened.backend_tokenizer  # noqa: B018  a class written in Python has none
            return opened, failure
        except Exception as error:  # transformers has no one exception for what it can't open
            failure = failure or line(error)
    return None, failure


def open_config(place: Path) -> tuple[Any, str | None]:
    """Make a configuration of config.json, or say why that fails."""
    try:
        with quiet():
            return AutoConfig.from_pretrained(place, local_files_only=True, trust_remote_code=False), None
    except Exception as error:  # each class has its own
        return None, line(error)


def head_of(config: PretrainedConfig | None, architecture: str | None) -> Head | None:
    """Say what a model is trained to do: by its class, else by its architecture."""
    if architecture and (head := _head_of(architecture)):
        return head
    kind = getattr(config, "model_type", None)
    if getattr(config, "is_encoder_decoder", False):
        return "seq2seq"
    if kind in _CLASSES["masked"]:
        return "causal" if getattr(config, "is_decoder", False) else "masked"
    return "causal" if kind in _CLASSES["causal"] else None


def open_model(
    place: Path, config: PretrainedConfig, architecture: str | None, head: Head, weighted: bool
) -> ModelOrFailure:
    """Make the model of a folder, unless it is too large; without weights they are random, and layers few."""
    model_class = _model_class(config, architecture, head)
    if model_class is None:
        return ModelOrFailure()
    if (layers := _too_many_layers(config)) is not None:
        return ModelOrFailure(
            too_large=f"config.json says {layers} layers, and no more than {_LAYERS} are built"
        )
    try:
        with quiet():
            built = AutoConfig.from_pretrained(place, local_files_only=True)
        if not weighted:
            built = _shallow(built)
        with torch.device("meta"), quiet():
            empty = model_class(copy.deepcopy(built))  # the class writes into the config that it gets
        size = sum(parameter.numel() for parameter in empty.parameters())
        if size > _PARAMETERS:
            return ModelOrFailure(
                too_large=f"the model has {size:,} parameters, and none above {_PARAMETERS:,} is opened"
            )
        with quiet(), torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            if weighted:
                model, loading = model_class.from_pretrained(
                    place,
                    local_files_only=True,
                    use_safetensors=True,
                    dtype=torch.float32,
                    output_loading_info=True,
                )
                return ModelOrFailure(model, frozenset(loading["missing_keys"]))
            return ModelOrFailure(make_random(model_class, built))
    except Exception as error:  # torch, safetensors and transformers each have their own
        return ModelOrFailure(failure=line(error))


def guess_model_type(folder: Folder) -> str | None:
    """Say what transformers would take a config without model_type for: the longest type in the folder's name."""
    name = folder.path.resolve().name
    return next((kind for kind in sorted(_KNOWN, key=len, reverse=True) if kind in name), None)


def _head_of(class_name: str) -> Head | None:
    if class_name.endswith(("ForCausalLM", "LMHeadModel")):
        return "causal"
    if class_name.endswith("ForConditionalGeneration"):
        return "seq2seq"
    return "masked" if class_name.endswith(("ForMaskedLM", "ForPreTraining")) else None


def _model_class(
    config: PretrainedConfig, architecture: str | None, head: Head
) -> type[PreTrainedModel] | None:
    named = getattr(transformers, architecture or "", None)
    if isinstance(named, type) and issubclass(named, PreTrainedModel) and _head_of(named.__name__):
        return named
    name = _CLASSES[head].get(config.model_type)
    return getattr(transformers, name, None) if isinstance(name, str) else None


def _too_many_layers(config: PretrainedConfig) -> str | None:
    """Give a number of layers that is no number, or beyond all reason."""
    for name in ("num_hidden_layers", "num_decoder_layers"):
        number = getattr(config, name, 0) or 0
        if not isinstance(number, int):
            return repr(number)
        if number > _LAYERS:
            return f"{number:,}"
    return None


def _shallow(config: PretrainedConfig) -> PretrainedConfig:
    """Let a model with random weights have two layers: a probe sees no more of twelve."""
    for name in ("num_hidden_layers", "num_decoder_layers"):
        # Where layers are told apart one by one, their number stays.
        if (getattr(config, name, 0) or 0) > 2 and not hasattr(config, "attention_layers"):
            setattr(config, name, 2)
    if hasattr(config, "layer_types"):
        config.layer_types = config.layer_types[:2]
    return config


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' remarks out of the doctor's."""
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def line(error: BaseException) -> str:
    """Put an error on one line."""
    return " ".join((str(error).strip() or type(error).__name__).split())[:300]
