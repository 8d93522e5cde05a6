"""Rotary positions and ALiBi, in transformers' own classes: the model that lies in this folder.

Hornbook writes this file beside the weights. It needs torch and transformers, and nothing of Hornbook:

    AutoModelForMaskedLM.from_pretrained(folder, trust_remote_code=True)

A class of transformers that is asked of this module, such as `modeling_positions.BertForMaskedLM`, is transformers'
own, but without its position table; queries, keys or scores tell the places instead. `positions` in config.json says

- `scheme`: `rotary` or `alibi`,
- `table`: where the base model has its position table,
- `queries_and_keys`: the layers inside an attention that make queries and keys, or the one that makes queries, keys
  and values.

The table's weight is kept with no rows, so that a class that still has a table refuses it, and doesn't begin with a
random one in silence. No weight depends on `max_position_embeddings`: where a class checks it, longer texts only need
a larger number there.
"""

import functools
import inspect
import math
import shutil
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel

_CACHES = ("cache", "past_key_values", "layer_past")


def rotate(states: Tensor, angles: Tensor) -> Tensor:
    """Turn queries or keys (B, T, heads, width) by the angles (B or 1, T, width / 2) of their places.

    Number i of the first half and number i of the second one are a plane, as in GPT-NeoX. (Su et al. 2021,
    arXiv:2104.09864, equation 34, where neighbours are.)
    """
    first, second = states.to(angles.dtype).chunk(2, -1)
    cos, sin = angles.cos().unsqueeze(-2), angles.sin().unsqueeze(-2)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1).to(states.dtype)


def slopes(heads: int) -> list[float]:
    """Give each head what a place further away costs (Press et al. 2021, arXiv:2108.12409, section 3, and its code).

    For a power of 2 they are 2^(-8 / heads), its square, and so on. Other numbers take those of the next smaller power,
    then every second one of the next larger.
    """
    power = 2 ** math.floor(math.log2(heads))
    first = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    return first + [2 ** (-4 * (i + 1) / power) for i in range(0, 2 * (heads - power), 2)]


def distances(heads: int, queries: int, keys: int, device: torch.device) -> Tensor:
    """Give what ALiBi adds to scores (1, heads, queries, keys): minus slope times |i - j|, counted in columns.

    The queries are the last of the columns, as they are with a cache. Both directions cost alike, so that one rule
    serves models that read both ways (Portes et al. 2023, MosaicBERT, arXiv:2312.17482) and those that look back.
    """
    columns = torch.arange(keys, device=device)
    apart = (columns[keys - queries :, None] - columns).abs().float()
    return -torch.tensor(slopes(heads), device=device)[None, :, None, None] * apart


class Positions(nn.Module):
    """Stands where the position table stood, adds nothing, and keeps the places of the batch for the attentions."""

    weight: Tensor

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        self.register_buffer("weight", table.weight.detach()[:0].clone())
        self.ids: Tensor | None = None
        self.kept: dict[Any, Any] = {}

    def forward(self, ids: Tensor) -> Tensor:
        """Note places (B or 1, T); give zeros (B or 1, T, width)."""
        self.ids, self.kept = ids, {}
        return self.weight.new_zeros(()).expand(*ids.shape, self.weight.shape[1])

    def angles(self, width: int, number: torch.dtype) -> Tensor:
        """Give the angles (B or 1, T, width / 2) by which heads of a width are turned, from 1 to 1/10,000 a place."""
        if self.ids is None:
            raise ValueError("no places were noted: run the whole model (DataParallel can't)")
        if (width, number) not in self.kept:
            steps = torch.arange(0, width, 2, device=self.ids.device, dtype=number) / width
            self.kept[width, number] = self.ids[..., None].to(number) * 10000**-steps
        angles: Tensor = self.kept[width, number]
        return angles

    def biased(self, mask: Tensor | None, shape: tuple[int, int, int], causal: bool, like: Tensor) -> Tensor:
        """Put the distances of (heads, queries, keys) into a mask (B, 1, queries, keys), True or added; None is all."""
        known = (id(mask), shape, causal, like.dtype)
        if known not in self.kept:
            lowest = torch.finfo(like.dtype).min
            added = distances(*shape, like.device).to(like.dtype)
            if mask is None and causal:
                mask = torch.ones(shape[1:], dtype=torch.bool, device=like.device).tril(shape[2] - shape[1])
            if mask is not None:
                both = torch.where(mask, added, lowest) if mask.dtype == torch.bool else added + mask
                added = both.clamp(min=lowest)
            self.kept[known] = (mask, added)  # the mask, too, so that its id stays its own
        told: Tensor = self.kept[known][1]
        return told


class Within:
    """Holds the model that a layer is in, so that the layer doesn't count the model among its own parts."""

    def __init__(self, base: nn.Module) -> None:
        self.base = base


class Placed:
    """Put before a class of transformers, lets attention tell the places, and saves this file with the weights."""

    def __init__(self, config: PretrainedConfig, *given: Any, **named: Any) -> None:
        super().__init__(config, *given, **named)  # type: ignore[call-arg]  # the class behind this one
        place(self)

    @classmethod
    def _can_set_attn_implementation(cls) -> bool:
        return cls.__bases__[1]._can_set_attn_implementation()  # type: ignore[attr-defined]  # asks a file

    def save_pretrained(self, save_directory: Any, **options: Any) -> None:
        """Write the folder, with this file in it and, in config.json, the classes that it has for each Auto class."""
        self.config.auto_map = auto_map(self.config)  # type: ignore[attr-defined]
        super().save_pretrained(save_directory, **options)  # type: ignore[misc]
        if not Path(save_directory, Path(__file__).name).exists():
            shutil.copyfile(__file__, Path(save_directory, Path(__file__).name))


def place(model: PreTrainedModel) -> None:
    """Take the position table out of a model, in place, and let its attentions tell the places.

    Raises ValueError where heads can't be turned, for a scheme that isn't known, and for attention to another text.
    """
    base, told = model.base_model, model.config.positions
    if getattr(model.config, "add_cross_attention", False):
        raise ValueError("attention to another text has no common places: leave add_cross_attention out")
    parent, _, name = told["table"].rpartition(".")
    setattr(base.get_submodule(parent), name, Positions(base.get_submodule(told["table"])))
    names, width = told["queries_and_keys"], model.config.hidden_size // model.config.num_attention_heads
    for attention in base.modules():
        if not all(hasattr(attention, name) for name in names):
            continue
        if told["scheme"] == "rotary":
            if width % 2:
                raise ValueError(
                    f"heads of {width} numbers have no two halves to turn: make their width even"
                )
            for name in names:
                layer = attention.get_submodule(name)
                layer.within = Within(base)
                layer.register_forward_hook(_turn)
        elif told["scheme"] == "alibi":
            attention.within = Within(base)
            attention.register_forward_pre_hook(_add_distances, with_kwargs=True)
        else:
            raise ValueError(f"positions.scheme is {told['scheme']!r}, and this file knows rotary and alibi")


@functools.cache
def placed(model_class: Any) -> Any:
    """Make a class of transformers one without a position table; it keeps its name."""
    if issubclass(model_class, Placed):
        return model_class
    return type(model_class.__name__, (Placed, model_class), {"__module__": __name__})


def auto_map(config: PretrainedConfig) -> dict[str, str]:
    """Say which class each Auto class of transformers finds here."""
    known = {}
    for name, auto in vars(transformers.models.auto.modeling_auto).items():
        classes = getattr(auto, "_model_mapping", None)
        if name.startswith("AutoModel") and classes is not None and type(config) in classes:
            found = classes[type(config)]
            found = found[0] if isinstance(found, tuple) else found
            known[name] = f"{Path(__file__).stem}.{found.__name__}"
    return known


def __getattr__(name: str) -> type[PreTrainedModel]:
    """Give transformers' class of that name, without a position table."""
    found = None if name.startswith("_") else getattr(transformers, name, None)
    if not (isinstance(found, type) and issubclass(found, PreTrainedModel)):
        raise AttributeError(f"{__name__} has no {name}, and transformers has no model of that name")
    made: type[PreTrainedModel] = placed(found)
    return made


def _positions(layer: Any) -> tuple[PretrainedConfig, Positions]:
    base = layer.within.base
    return base.config, base.get_submodule(base.config.positions["table"])


def _turn(layer: nn.Module, _: Any, made: Tensor) -> Tensor:
    """Turn the queries or keys (B, T, hidden) that a layer made, or queries and keys but not the values behind them."""
    config, positions = _positions(layer)
    together = len(config.positions["queries_and_keys"]) == 1
    heads, end = config.num_attention_heads, made.shape[-1] * 2 // 3 if together else made.shape[-1]
    states = made[..., :end].unflatten(-1, (2 * heads if together else heads, -1))
    angles = positions.angles(states.shape[-1], torch.promote_types(made.dtype, torch.float32))
    turned = rotate(states, angles).flatten(-2)
    return torch.cat((turned, made[..., end:]), -1) if together else turned


def _add_distances(attention: nn.Module, given: Any, named: Any) -> tuple[Any, Any]:
    """Give an attention a mask that also says how far apart two places are."""
    config, positions = _positions(attention)
    if any(kind in str(config._attn_implementation) for kind in ("flash", "flex", "paged")):
        raise ValueError(
            f"attn_implementation is {config._attn_implementation}, which adds no distances: take sdpa or eager"
        )
    call = inspect.signature(attention.forward).bind(*given, **named)
    states, mask = call.arguments["hidden_states"], call.arguments.get("attention_mask")
    told = {**call.arguments, **call.arguments.get("kwargs", {})}
    cache = next((told[name] for name in _CACHES if told.get(name) is not None), None)
    if getattr(cache, "is_compileable", False):
        raise ValueError(
            "a cache of fixed size has columns that no token stands in: take the usual, growing cache"
        )
    queries = states.shape[1]
    if mask is not None:
        keys = mask.shape[-1]
    else:
        layer = getattr(attention, "layer_idx", getattr(attention, "layer_id", 0))
        keys = queries + (cache.get_seq_length(layer) if cache is not None else 0)
    shape = (config.num_attention_heads, queries, keys)
    call.arguments["attention_mask"] = positions.biased(
        mask, shape, bool(getattr(attention, "is_causal", False)), states
    )
    return call.args, call.kwargs
