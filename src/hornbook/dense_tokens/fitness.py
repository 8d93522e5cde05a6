"""Which models can have dense tokens, and how many."""

import inspect
from importlib.metadata import version

import torch
from torch import Tensor
from transformers import PreTrainedModel

from hornbook.dense_tokens.layout import Layout
from hornbook.errors import HornbookError
from hornbook.families.positions import scheme_of
from hornbook.internals import advise, cache_name, newer, read

_CAUSAL = read("transformers.models.auto.modeling_auto:MODEL_FOR_CAUSAL_LM_MAPPING_NAMES")
_MASKED = read("transformers.models.auto.modeling_auto:MODEL_FOR_MASKED_LM_MAPPING_NAMES")


def refuse_unfit(model: PreTrainedModel) -> None:
    """Raise HornbookError for a model that can't have dense tokens, such as an encoder."""
    name, config = type(model).__name__, model.config
    decoder = name in _CAUSAL.values() and not config.is_encoder_decoder
    if config.model_type in _MASKED:
        decoder = decoder and getattr(config, "is_decoder", False)
    if not decoder:
        raise HornbookError(
            f"{name} ({config.model_type}) is no causal model, and only one that reads from left to right can pass "
            "itself a vector: give one such as GPTNeoXForCausalLM"
        )
    table, head = _layer(model, "input"), _layer(model, "output")
    if table is None or head is None:
        missing = "input embeddings" if table is None else "head over its vocabulary"
        raise HornbookError(f"{name} has no {missing}, which dense tokens go through: give another model")
    _refuse_without_arguments(model)
    if table.shape[1] != head.shape[1]:
        raise HornbookError(
            f"{name} has embeddings of {table.shape[1]} numbers and hidden vectors of {head.shape[1]}, and one is "
            "added to the other: give a model where both are of one width"
        )
    _refuse_scaled(model, table)


def _refuse_without_arguments(model: PreTrainedModel) -> None:
    """Raise HornbookError for a class that doesn't take embeddings, positions and a cache.

    If transformers is newer than the tested releases, it may just have renamed an argument; the error says so.
    """
    taken = inspect.signature(model.base_model.forward).parameters
    lacking = [needed for needed in ("inputs_embeds", "position_ids") if needed not in taken]
    if cache_name(type(model.base_model)) is None:
        lacking.append("cache")
    if lacking:
        fix = advise("transformers")
        if not newer("transformers"):
            fix = (
                f"give another model or, if yours works with the release that Hornbook was tested with, {fix}"
            )
        raise HornbookError(
            f"{type(model).__name__} of transformers {version('transformers')} takes no {', '.join(lacking)}, which "
            f"dense tokens need: {fix}"
        )


@torch.no_grad()
def _refuse_scaled(model: PreTrainedModel, table: Tensor) -> None:
    """Raise HornbookError where the class scales embeddings or logits outside these layers, as Gemma and Cohere do."""
    was_training = model.training
    model.eval()
    ids = torch.arange(min(4, len(table)), device=table.device)[None]
    embedded = model.get_input_embeddings()(ids)
    hidden = model.base_model(inputs_embeds=embedded, use_cache=False).last_hidden_state
    ours, theirs = model.get_output_embeddings()(hidden), model(ids, use_cache=False).logits
    model.train(was_training)
    capped = getattr(model.config, "final_logit_softcapping", None)
    for what, one, other in (("embeddings", embedded, table[ids]), ("logits", ours, theirs)):
        largest = float(other.abs().max())
        gap = float((one - other).abs().max())
        if gap > 0.02 * largest or (what == "logits" and capped):
            raise HornbookError(
                f"{type(model).__name__} scales its {what} outside of the layer that makes them, and dense tokens go "
                "through that layer: give another model, such as a GPT-NeoX, GPT-Neo, GPT-2, Llama or Qwen"
            )


def position_limit(model: PreTrainedModel) -> tuple[int, bool] | None:
    """Return how many positions a model has, and whether each column of a batch takes one; None without a limit.

    Usually a dense token that shares its word's position takes none. In classes whose masks or caches count columns
    it does: those whose mask has as many columns as positions, and those with a sliding window. Hornbook passes its
    own masks, so that a window would have no effect; its size counts as the number of positions.
    """
    config = model.config
    window = getattr(config, "use_sliding_window", True) and getattr(config, "sliding_window", None)
    positions = getattr(config, "max_position_embeddings", None)
    limits = [limit for limit in (positions, window) if limit]
    by_columns = bool(window) or any(one.shape[-2:] == (positions, positions) for one in model.buffers())
    return (min(limits), by_columns) if limits else None


def refuse_shared_positions(model: PreTrainedModel, shared: bool) -> None:
    """Raise HornbookError where dense tokens are to have their words' positions, and the model counts columns."""
    if shared and scheme_of(model.config) == "alibi":
        raise HornbookError(
            f"{type(model).__name__} has ALiBi, for which each dense token is a place further on, and share_positions "
            "gives it its word's: say share_positions false (--no-share-positions)"
        )


def check_positions(model: PreTrainedModel, layout: Layout) -> None:
    """Raise HornbookError for a batch that takes more positions than the model has."""
    room = position_limit(model)
    if room is None:
        return
    limit, by_columns = room
    used = layout.dense.shape[1] if by_columns else int(layout.positions.max()) + 1
    if used > limit:
        words, dense = (int(kind.sum(1).max()) for kind in (layout.real & ~layout.dense, layout.dense))
        raise HornbookError(
            f"{words:,} words and {dense:,} dense tokens take {used:,} positions, and the model has {limit:,}: give "
            "fewer words or fewer dense tokens"
        )


def check_finite(vectors: Tensor) -> None:
    """Raise HornbookError for vectors (B, T, H) that hold NaN or infinity."""
    wrong = (~vectors.isfinite().all(-1)).nonzero()
    if len(wrong):
        row, column = wrong[0].tolist()
        raise HornbookError(
            f"{len(wrong):,} vectors hold numbers that are not finite, the first in row {row}, place {column}: look "
            "at the weights, and at the learning rate that made them"
        )


def check_cache(model: PreTrainedModel) -> None:
    """Raise HornbookError under gradient checkpointing, where the class would silently drop its cache."""
    if model.training and any(getattr(module, "gradient_checkpointing", False) for module in model.modules()):
        raise HornbookError(
            "gradient checkpointing makes the model's class drop its cache, and filling one by one needs it: fill in "
            "rounds, or call model.gradient_checkpointing_disable()"
        )


def _layer(model: PreTrainedModel, side: str) -> Tensor | None:
    """Return the weight of the embeddings or of the head, or None if the class has none."""
    try:
        layer = getattr(model, f"get_{side}_embeddings")()
    except (NotImplementedError, AttributeError):
        return None
    return getattr(layer, "weight", None)
