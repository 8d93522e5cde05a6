"""Adapt a trained model when its tokenizer gets other ids: move the rows that belong to tokens."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from hornbook.errors import HornbookError

_LISTS = ("suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "force_words_ids")
"""Where a generation config keeps ids in lists."""


def move_rows(
    model: PreTrainedModel, mapping: Mapping[int, int | None], tokenizer: PreTrainedTokenizerBase
) -> PreTrainedModel:
    """Give a copy of `model` that does for the new ids what it did for the old ones.

    `mapping` is `Reindexed.mapping`, `tokenizer` the new tokenizer. The rows (vocabulary, ...) of embeddings,
    of the head and of its bias are permuted, each stored once: a new token begins with the row of a token
    that was dropped, both in the order of their ids. So every softmax is over the same set of logits, and the
    loss stays the same on text without new or dropped tokens. Rows beyond the tokenizer's stay where they are. If
    positions are counted from the pad id (RoBERTa), their table is moved as well. The ids in the config and
    generation config are the tokenizer's.

    Raises HornbookError if the model has fewer rows than the tokenizer has ids.
    """
    rows = model.get_input_embeddings().weight.shape[0]
    ids = 1 + max([*mapping, *(new for new in mapping.values() if new is not None)])
    if ids > rows:
        raise HornbookError(
            f"the tokenizer has ids up to {ids - 1:,}, but the model has {rows:,} rows: give the tokenizer "
            "that the model was trained with"
        )
    model = copy.deepcopy(model)
    source = torch.arange(rows)
    for new, old in origins(mapping).items():
        source[new] = old
    with torch.no_grad():
        for weight in _of_tokens(model, rows):
            weight.copy_(weight[source.to(weight.device)])
        _move_positions(model, tokenizer.pad_token_id)
    for module in model.modules():
        if (
            isinstance(module, nn.Embedding)
            and module.padding_idx is not None
            and module.num_embeddings == rows
        ):
            module.padding_idx = tokenizer.pad_token_id
    configs = [module.config for module in model.modules() if isinstance(module, PreTrainedModel)]
    if getattr(model, "generation_config", None) is not None:
        configs.append(model.generation_config)
    for config in {id(config): config for config in configs}.values():
        _renumber(config, mapping, tokenizer, rows)
    return model


def origins(mapping: Mapping[int, int | None]) -> dict[int, int]:
    """Tell, for each new id, whose row it gets: its own old one, or that of a token that was dropped."""
    origin = {new: old for old, new in mapping.items() if new is not None}
    size = 1 + max([*mapping, *origin])
    fresh = [new for new in range(size) if new not in origin]
    left = sorted(set(range(size)) - set(origin.values()))
    return origin | dict(zip(fresh, left, strict=True))


def _of_tokens(model: PreTrainedModel, rows: int) -> Iterator[Tensor]:
    """Find each weight that has a row for every token: (rows, width), or (rows,) for a bias; shared ones once."""
    seen: set[int] = set()
    for module in model.modules():
        if not isinstance(module, PreTrainedModel):
            continue
        for layer in (module.get_input_embeddings(), module.get_output_embeddings()):
            for weight in layer.parameters() if layer is not None else ():
                if weight.shape[0] == rows and weight.data_ptr() not in seen:
                    seen.add(weight.data_ptr())
                    yield weight


def _move_positions(model: PreTrainedModel, pad: int | None) -> None:
    """Let RoBERTa's positions begin after the new pad id, for the same number of tokens."""
    for module in model.modules():
        if not hasattr(module, "create_position_ids_from_input_ids"):
            continue
        old, table = module.padding_idx, module.position_embeddings
        if pad is None:
            raise HornbookError("the new tokenizer has no pad token, and RoBERTa counts positions from it")
        moved = nn.Embedding(table.num_embeddings + pad - old, table.embedding_dim, padding_idx=pad)
        weight = torch.zeros_like(table.weight[:1]).repeat(moved.num_embeddings, 1)
        weight[pad:] = table.weight[old:]
        moved.weight = nn.Parameter(weight, requires_grad=table.weight.requires_grad)
        module.position_embeddings, module.padding_idx = moved, pad
        positions = torch.arange(moved.num_embeddings, device=weight.device)[None]
        module.register_buffer("position_ids", positions, persistent=False)
        module.register_buffer("token_type_ids", torch.zeros_like(positions), persistent=False)
        for part in model.modules():
            if isinstance(part, PreTrainedModel):
                part.config.max_position_embeddings = moved.num_embeddings


def _renumber(
    config: PretrainedConfig | Any,
    mapping: Mapping[int, int | None],
    tokenizer: PreTrainedTokenizerBase,
    rows: int,
) -> None:
    """Take a config's ids from the tokenizer's roles; those without a role follow their token."""

    def follow(value: Any) -> Any:
        if isinstance(value, list):
            return [new for new in map(follow, value) if new is not None]
        return mapping.get(value, value if value < rows else None)

    for name, value in list(vars(config).items()):
        if name.endswith("_token_id") and hasattr(tokenizer, name):
            own = getattr(tokenizer, name)
            if isinstance(value, list) and own is not None:  # several ends of text
                others = [i for i in follow(value) if i != own]
                setattr(config, name, [own, *others])
            else:
                setattr(config, name, own)
        elif value is not None and (name.endswith("_token_id") or name in _LISTS):
            setattr(config, name, follow(value))
    if getattr(config, "is_encoder_decoder", False) and config.decoder_start_token_id is None:
        config.decoder_start_token_id = tokenizer.pad_token_id
