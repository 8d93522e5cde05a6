"""What a folder's model is, as its config.json says: family, head, and class of transformers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import transformers
from transformers import AutoConfig, PretrainedConfig, PreTrainedModel

from hornbook.errors import HornbookError, one_line
from hornbook.families import TYPES, Family
from hornbook.gate import SHIPPED, Folder
from hornbook.internals import read
from hornbook.loading.code import custom_family
from hornbook.quiet import quiet
from hornbook.tokenizers import Head

_TYPES = read("transformers.models.auto.configuration_auto:CONFIG_MAPPING")


class _Use(NamedTuple):
    """How a model with one head is recognised and used; for heads not listed here, the objective says what it needs."""

    roles: tuple[str, ...]
    """The roles of the tokens that it needs."""
    endings: tuple[str, ...] = ()
    """How the names of its classes end."""
    classes: Mapping[str, str] = MappingProxyType({})
    """The names of its classes in transformers, by model_type."""


USES: dict[Head, _Use] = {
    "causal": _Use(
        ("eos",),
        ("ForCausalLM", "LMHeadModel"),
        read("transformers.models.auto.modeling_auto:MODEL_FOR_CAUSAL_LM_MAPPING_NAMES"),
    ),
    "masked": _Use(
        ("cls", "sep", "mask"),
        ("ForMaskedLM", "ForPreTraining"),
        read("transformers.models.auto.modeling_auto:MODEL_FOR_MASKED_LM_MAPPING_NAMES"),
    ),
    "pairs": _Use(("cls", "sep", "mask", "pad")),
    "seq2seq": _Use(
        ("eos",),
        ("ForConditionalGeneration",),
        read("transformers.models.auto.modeling_auto:MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES"),
    ),
}


@dataclass(frozen=True)
class Kind:
    """The model that a folder holds: its architecture and its head."""

    folder: Folder
    model_type: str | None
    architecture: str | None
    """The name of its class; None if config.json doesn't tell it."""
    head: Head | None
    """None if it isn't a known language model."""
    model_class: type[PreTrainedModel] | None
    """None if transformers has no such language model."""
    family: Family | None
    """The family that has this architecture."""
    served: bool = False
    """Whether that family has this class, so that all of Hornbook can be used on it."""


def recognise(path: Path, trust: bool | None = False) -> Kind:
    """Let a folder through the gate, and read what model it holds.

    With `trust`, code that lies in it may run; None says that the command has no use for a model that needs it.
    Where config.json names no class, the one that is usual for the architecture is taken; reading is refused where it
    lacks weights. Raises HornbookError as `Folder` does, and where there is no config.json.
    """
    folder = Folder(path)
    folder.check()
    if quantized := folder.config.get("quantization_config"):
        kind = quantized.get("quant_method") if isinstance(quantized, dict) else None
        raise HornbookError(
            f"{path}: its weights are quantized ({kind}), which isn't read: save the model unquantized"
        )
    if not folder.has("config.json"):
        raise HornbookError(
            f"{path} holds no model (it has no config.json): give a folder that holds a trained model"
        )
    if folder.has(SHIPPED.name) and not folder.ours:
        raise HornbookError(
            f"{path}: its {SHIPPED.name} isn't the one of this Hornbook, and no code of a folder is run: open it with "
            f"transformers and trust_remote_code=True, or, if you know that the model is meant, copy {SHIPPED} there"
        )
    kind, name = folder.config.get("model_type"), class_named(folder.config.get("architectures"))
    family = TYPES.get(str(kind))
    usual = {} if family is None else family.heads
    known = name in (None, *(served.__name__ for served in usual.values()))
    if (custom := custom_family(folder, name, trust, known)) is not None:
        ((head, served),) = custom.heads.items()
        return Kind(folder, kind, name, head, served, custom, served=True)
    for head, served in usual.items():
        if name in (None, served.__name__):
            return Kind(folder, kind, name, head, served, family, served=True)
    if name:
        found = _head_of(name)
    else:
        with folder.harmless(weights=False) as place:
            found = head_of(open_config(place)[0], None)
    return Kind(folder, kind, name, found, class_of(kind, name, found) if found else None, family)


def class_named(architectures: Any) -> str | None:
    """Return the first name of a config's `architectures`; None if there is none, or it isn't a list."""
    return str(architectures[0]) if isinstance(architectures, list) and architectures else None


def head_of(config: PretrainedConfig | None, architecture: str | None) -> Head | None:
    """Say what a model is trained to do: by its class, else by its architecture."""
    if architecture and (head := _head_of(architecture)):
        return head
    kind = getattr(config, "model_type", None)
    if getattr(config, "is_encoder_decoder", False):
        return "seq2seq"
    if kind in USES["masked"].classes:
        return "causal" if getattr(config, "is_decoder", False) else "masked"
    return "causal" if kind in USES["causal"].classes else None


def class_of(model_type: str | None, architecture: str | None, head: Head) -> type[PreTrainedModel] | None:
    """Return the class of this name if it is a language model, else transformers' class for this type and head."""
    named = getattr(transformers, architecture or "", None)
    if isinstance(named, type) and issubclass(named, PreTrainedModel) and _head_of(named.__name__):
        return named
    name = USES[head].classes.get(model_type or "")
    return getattr(transformers, name, None) if isinstance(name, str) else None


def as_masked(head: Head) -> Head:
    """Return masked for the head pairs, which includes a masked head; other heads stay the same."""
    return "masked" if head == "pairs" else head


def guess_model_type(folder: Folder) -> str | None:
    """Guess the type as older releases of transformers do without a model_type: the longest in the folder's name."""
    name = folder.path.resolve().name
    return next((kind for kind in sorted(_TYPES, key=len, reverse=True) if kind in name), None)


def refuse_foreign(folder: Folder) -> None:
    """Raise HornbookError for an architecture that transformers itself doesn't know."""
    custom_family(folder, None, trust=False)  # refuses what Hornbook saved with code
    kind = folder.config.get("model_type") or guess_model_type(folder)
    if kind not in _TYPES:
        code = "; the code that it brings is never run without --trust" if folder.code else ""
        raise HornbookError(
            f"{folder.path}: its model_type is {kind!r}, which transformers {transformers.__version__} doesn't know"
            f"{code}: give a folder of a known architecture"
        )


def open_config(place: Path) -> tuple[PretrainedConfig | None, str | None]:
    """Return the configuration in config.json, or the reason why it can't be opened."""
    try:
        with quiet():
            return AutoConfig.from_pretrained(place, local_files_only=True, trust_remote_code=False), None
    except Exception as error:  # each configuration class raises its own errors
        return None, one_line(error)


def _head_of(class_name: str) -> Head | None:
    return next(
        (head for head, use in USES.items() if use.endings and class_name.endswith(use.endings)), None
    )
