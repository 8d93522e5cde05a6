"""Names inside other libraries that Hornbook uses, though no release promises to keep them.

Each name is listed here with its purpose, and `tests/test_internals.py` looks for all of them in a release. The other
modules get such a name by `read`, which refuses a release without it and says why.
"""

import inspect
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

from hornbook.errors import HornbookError

NEWEST = {
    "torch": "2.15",
    "transformers": "5.24",
    "tokenizers": "0.23",
    "accelerate": "1.15",
    "datasets": "5.2",
    "huggingface-hub": "2.4",
    "sentencepiece": "0.2",
}
"""The newest release of each library with which Hornbook's tests have passed."""

CACHE_NAMES = ("cache", "past_key_values")
"""The name of the cache in `forward`: since transformers 5.24, and before."""


CARRIED = {"_attn_implementation": "refuse an implementation of attention that adds no distances"}
"""Attributes of a configuration that `families/positions/modeling_positions.py` reads, with their purpose. That file
goes into model folders, so it can't import this module."""


@dataclass(frozen=True)
class Internal:
    """One name inside another library."""

    purpose: str
    """What Hornbook needs the name for, as the end of "which Hornbook needs to …"."""
    takes: tuple[str, ...] = ()
    """The arguments that Hornbook passes by name or reads; for a class, those of its `forward` if it has one."""


_HEADS = "know which class reads from left to right, which fills masks, and which has an encoder"
INTERNALS = {
    "transformers.models.bert.modeling_bert:BertLayer": Internal(
        "compute BERT's last layer only at the places that have labels", ("hidden_states", "attention_mask")
    ),
    "transformers.models.roberta.modeling_roberta:RobertaLayer": Internal(
        "compute RoBERTa's last layer only at the places that have labels",
        ("hidden_states", "attention_mask"),
    ),
    "transformers.models.gpt_neo.modeling_gpt_neo:GPTNeoSelfAttention": Internal(
        "run GPT-Neo's attention in PyTorch's fused kernel",
        ("hidden_states", "attention_mask", "layer_past", "use_cache", "output_attentions"),
    ),
    "transformers.models.gpt_neox.modeling_gpt_neox:GPTNeoXLayer": Internal(
        "compute the proof's last layer only at the last place",
        ("hidden_states", "attention_mask", "layer_past", "position_embeddings"),
    ),
    "transformers.models.gpt_neox.modeling_gpt_neox:apply_rotary_pos_emb": Internal(
        "rotate the keys of the proof's last layer", ("q", "k", "cos", "sin")
    ),
    "transformers.models.t5.modeling_t5:T5LayerNorm": Internal(
        "normalise in fewer passes over memory", ("hidden_states",)
    ),
    "transformers.models.t5.modeling_t5:T5Stack": Internal(
        "run T5's encoder and decoder without the head",
        ("input_ids", "attention_mask", "encoder_hidden_states", "encoder_attention_mask", "use_cache"),
    ),
    "transformers.activations:NewGELUActivation": Internal("put PyTorch's fused GELU in its place"),
    "transformers.integrations.sdpa_attention:sdpa_attention_forward": Internal(
        "compute attention where PyTorch's fused kernel can",
        ("module", "query", "key", "value", "attention_mask", "dropout", "scaling", "is_causal"),
    ),
    "transformers.masking_utils:AttentionMaskInterface": Internal(
        "give its attention the masks that it reads"
    ),
    "transformers.masking_utils:sdpa_mask": Internal("give its attention the masks that it reads"),
    "transformers.pytorch_utils:Conv1D": Internal("know GPT-2's matrices, which aren't Linear layers"),
    "transformers.modeling_utils:PreTrainedModel._can_set_attn_implementation": Internal(
        "know whether a class lets its attention be chosen"
    ),
    "transformers.models.auto.modeling_auto:AutoModel._model_mapping": Internal(
        "say in a folder which class each Auto class finds there"
    ),
    "transformers.modeling_utils:PreTrainedModel._from_config": Internal(
        "build a stranger's model with random weights, to probe it"
    ),
    "transformers.models.auto.configuration_auto:CONFIG_MAPPING": Internal(
        "know which architectures transformers has code for"
    ),
    "transformers.models.auto.modeling_auto:MODEL_FOR_CAUSAL_LM_MAPPING_NAMES": Internal(_HEADS),
    "transformers.models.auto.modeling_auto:MODEL_FOR_MASKED_LM_MAPPING_NAMES": Internal(_HEADS),
    "transformers.models.auto.modeling_auto:MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES": Internal(_HEADS),
    "transformers.dynamic_module_utils:get_relative_import_files": Internal(
        "know which files a class of a user's own needs, as transformers saves them", ("module_file",)
    ),
    "transformers.convert_slow_tokenizer:generate_merges": Internal(
        "find the merges of a SentencePiece model", ("vocab", "vocab_scores")
    ),
    "transformers:DynamicCache": Internal("keep what was read, while dense tokens are filled", ("config",)),
    "transformers.generation:BaseStreamer": Internal("write a text word by word while it is generated"),
    "accelerate.tracking:LOGGER_TYPE_TO_CLASS": Internal(
        "tell a misspelt tracker from one that isn't installed"
    ),
    "accelerate.tracking:GeneralTracker": Internal("take the trackers of other packages"),
    "accelerate.tracking:get_available_trackers": Internal(
        "tell a misspelt tracker from one that isn't installed"
    ),
    "sentencepiece.sentencepiece_model_pb2:ModelProto": Internal(
        "read a SentencePiece model's pieces and rules"
    ),
}
"""The names that Hornbook uses, by `module:name`; the name has dots if it is inside a class."""

PARTS = {
    "BertForPreTraining": (
        "bert.embeddings.position_embeddings",
        "bert.encoder.layer.0.attention.self.query",
        "bert.encoder.layer.0.attention.self.key",
        "bert.encoder.layer.0.attention.self.value",
        "bert.encoder.layer.0.attention.self.dropout",
        "bert.encoder.layer.0.attention.output",
        "bert.pooler",
        "cls.predictions.transform",
        "cls.seq_relationship",
    ),
    "RobertaForMaskedLM": (
        "roberta.embeddings.position_embeddings",
        "roberta.encoder.layer.0.attention.self.query",
        "roberta.encoder.layer.0.attention.self.key",
        "roberta.encoder.layer.0.attention.output",
        "lm_head.dense",
        "lm_head.layer_norm",
    ),
    "AlbertForPreTraining": (
        "albert.embeddings.position_embeddings",
        "albert.encoder.albert_layer_groups.0.albert_layers.0.attention.query",
        "albert.encoder.albert_layer_groups.0.albert_layers.0.attention.key",
        "albert.pooler",
        "albert.pooler_activation",
        "predictions.dense",
        "predictions.activation",
        "predictions.LayerNorm",
        "sop_classifier",
    ),
    "GPT2LMHeadModel": ("transformer.wpe", "transformer.h.0.attn.c_attn", "lm_head"),
    "GPTNeoForCausalLM": (
        "transformer.wpe",
        "transformer.h.0.attn.attention.q_proj",
        "transformer.h.0.attn.attention.k_proj",
        "transformer.h.0.attn.attention.v_proj",
        "transformer.h.0.attn.attention.out_proj",
        "transformer.h.0.attn.attention.attn_dropout",
        "transformer.h.0.attn.attention.resid_dropout",
        "lm_head",
    ),
    "GPTNeoXForCausalLM": (
        "gpt_neox.layers.0.attention.query_key_value",
        "gpt_neox.layers.0.input_layernorm",
        "gpt_neox.rotary_emb",
        "gpt_neox.final_layer_norm",
    ),
    "T5ForConditionalGeneration": (
        "encoder.block.0.layer.0.SelfAttention.q",
        "decoder.block.0.layer.1.EncDecAttention.k",
        "shared",
        "lm_head",
    ),
}
"""The layers that families use, by the class that has them."""


def read(where: str) -> Any:
    """Import a name that INTERNALS lists, such as "transformers.activations:NewGELUActivation".

    Raises HornbookError, with the library's release, if the name is gone.
    """
    module, _, path = where.partition(":")
    try:
        found: Any = import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
    except Exception as error:  # generated modules raise other errors than ImportError and AttributeError
        library, reason = library_of(where), str(error).partition("\n")[0]
        raise HornbookError(
            f"{library} {version(library)} has no {path} in {module} ({reason}), which Hornbook needs to "
            f"{INTERNALS[where].purpose}: {advise(library)}"
        ) from error
    return found


def lacking(where: str) -> list[str]:
    """List the arguments that INTERNALS requires of `where` and that it doesn't take."""
    found = read(where)
    found = found.forward if isinstance(found, type) and issubclass(found, nn.Module) else found
    return [name for name in INTERNALS[where].takes if name not in inspect.signature(found).parameters]


def cache_name(forward_of: type[nn.Module]) -> str | None:
    """Return the name of the cache in a class's `forward`, or None if it takes no cache."""
    taken = inspect.signature(forward_of.forward).parameters
    return next((name for name in CACHE_NAMES if name in taken), None)


def make_cache(config: PretrainedConfig) -> Any:
    """Make an empty cache for a model; it concatenates, so that gradients flow through it."""
    return read("transformers:DynamicCache")(config=config)


def choose_attention(model: PreTrainedModel, name: str) -> None:
    """Let a model use the attention function that is registered as `name`, if its class allows a choice."""
    if model._can_set_attn_implementation():
        model.set_attn_implementation(name)


def attention_of(config: PretrainedConfig) -> str | None:
    """Return the name of the attention function that a built model uses."""
    found: str | None = config._attn_implementation
    return found


def choose_mask(config: PretrainedConfig, name: str) -> None:
    """Make a model build its masks for the attention function `name`; nothing else changes."""
    config._attn_implementation = name


def make_random(model_class: type[PreTrainedModel], config: PretrainedConfig) -> PreTrainedModel:
    """Make a model with random fp32 weights, whatever dtype its configuration names."""
    return model_class._from_config(config, dtype=torch.float32)


def library_of(where: str) -> str:
    """Return the pip name of the package that holds `where`."""
    return where.partition(":")[0].partition(".")[0].replace("_", "-")


def newer(library: str) -> str | None:
    """Say that the installed release of `library` is newer than all tested ones, or return None."""
    installed, tested = version(library), NEWEST[library]
    if _numbers(installed) <= _numbers(tested):
        return None
    return f"{library} {installed} is newer than what this Hornbook was tested with ({tested})"


def advise(library: str) -> str:
    """Say how to get a release of `library` with which Hornbook works."""
    tested = f'pip install "{library}=={NEWEST[library]}.*"'
    if remark := newer(library):
        return f"{remark}: install a newer Hornbook, or the tested release with {tested}"
    return f"install the release that was tested with {tested}"


def _numbers(release: str) -> tuple[int, ...]:
    """Take the first two numbers of a release: 5.24.1 counts as 5.24."""
    return tuple(int(part) for part in release.split(".")[:2])
