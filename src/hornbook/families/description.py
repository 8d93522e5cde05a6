"""What a preset is before it is trained: its layers, where its values come from, and what a token costs.

The model is made and run on torch's meta device, so even the largest preset takes no memory and about a second.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import torch
import torchinfo
from tokenizers import Tokenizer, models
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from hornbook.errors import HornbookError
from hornbook.families import Family, find
from hornbook.families.unused_positions import unused_positions
from hornbook.families.values import OWNERS


@dataclass(frozen=True)
class Layer:
    """A module with its own weights, or several that differ only in their layer's number."""

    name: str
    """The path in the model; `*` stands for the numbers of layers that are alike."""
    kind: str
    """The module's class."""
    modules: int
    """How many modules are alike."""
    runs: int
    """How often each of them runs in one pass: more than once where layers share it, 0 where it is never run."""
    weights: dict[str, tuple[int, ...]]
    """The shape of each weight of one module."""
    output: tuple[int, ...]
    """The shape of what one module gives, mostly (batch, length, width), with a batch of 1."""
    parameters: int
    """Parameters of all these modules, without those that a row further up already counts."""
    shared: dict[str, str]
    """The weights that are not counted here, and where they are."""


@dataclass(frozen=True)
class Value:
    """One value of the configuration."""

    key: str
    value: Any
    origin: str
    """Where it is published, or what decides it."""


@dataclass(frozen=True)
class Cost:
    """Floating-point operations for one token, in a sequence of full length.

    A forward pass takes 2 x N + 4 x W x T. N counts the weights of the matrices that the token is multiplied with (a
    matrix that several layers share counts for each of them; an embedding look-up costs nothing). T is the number of
    tokens that it attends to. W is the width of all heads, summed over the layers. A backward pass takes twice as
    much: each product needs one for the weights' gradient and one for the inputs'. Source: Chowdhery et al. 2022, PaLM,
    arXiv:2204.02311, appendix B (6 N + 12 L H Q T for both). As there, causal and local attention count in full,
    and norms, activations and biases don't count. The head counts at every place.
    """

    token: str
    """The kind of token: `token`; in a text-to-text model, `input token` or `target token`."""
    layers: int
    """For the matrices below the head."""
    attention: int
    """For the products of queries with keys, and of weights with values."""
    head: int
    """For the matrices of the head."""

    @property
    def forward(self) -> int:
        """For a forward pass."""
        return self.layers + self.attention + self.head

    @property
    def training(self) -> int:
        """For a forward and a backward pass."""
        return 3 * self.forward


@dataclass(frozen=True)
class Description:
    """All that is known of a preset with a vocabulary and a length."""

    preset: str
    family: str
    model: str
    """The Hugging Face class."""
    vocab_size: int
    length: int
    """Tokens in a sequence; in a text-to-text model, in the input and again in the target."""
    parameters: int
    """Parameters of this model, shared ones counted once."""
    published_parameters: int | None
    published_for: str | None
    """The class that the published figure counts, with the published vocabulary and positions."""
    layers: list[Layer]
    values: list[Value]
    positions: list[str]
    """How a recipe can tell the model where a token stands; first, how it was published."""
    unused_positions: list[int]
    """Rows of the position table that no token takes; padding may have one of them."""
    costs: list[Cost]
    objectives: dict[str, str] | None = None
    """The objectives that can train it, each with its lesson: `presets.describe` adds them."""


def describe(preset: str, vocab_size: int | None = None, length: int | None = None) -> Description:
    """Describe a preset; vocabulary and length are the published ones unless given.

    Raises HornbookError for an unknown preset, and for a vocabulary without a place for padding.
    """
    family = find(preset)
    published = family.presets[preset]
    vocab_size = published.vocab_size if vocab_size is None else vocab_size
    length = published.positions if length is None else length
    if vocab_size <= published.pad:
        raise HornbookError(
            f"the vocabulary size is {vocab_size}, and {preset} has its padding at id {published.pad}: "
            f"give at least {published.pad + 1}"
        )
    tokenizer = _stand_in(vocab_size, published.pad)
    config = family.configure(preset, tokenizer, length, {})
    with torch.device("meta"):
        model = family.construct(config, next(iter(family.heads)))
    runs, outputs = _pass(family, model, length)
    layers = _layers(model, runs, outputs)
    return Description(
        preset=preset,
        family=family.name,
        model=type(model).__name__,
        vocab_size=vocab_size,
        length=length,
        parameters=sum(layer.parameters for layer in layers),
        published_parameters=published.parameters,
        published_for=published.counted.__name__ if published.counted else None,
        layers=_alike(layers),
        values=_values(family, preset, model.config, tokenizer, length),
        positions=list(family.position_schemes),
        unused_positions=unused_positions(family, config, length),
        costs=_costs(family, model, runs, length),
    )


def _stand_in(vocab_size: int, pad: int) -> PreTrainedTokenizerBase:
    """Make a tokenizer; only its size and its pad id matter."""
    vocabulary = {"<pad>" if number == pad else f"{number}": number for number in range(vocab_size)}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>")), pad_token="<pad>"
    )


def _pass(family: Family, model: PreTrainedModel, length: int) -> tuple[Counter[str], dict[str, list[int]]]:
    """Run a sequence: count how often each module runs, in order, and note the shape of its output."""
    with torch.device("meta"):  # the classes make their masks as they run
        ids = torch.zeros(1, length, dtype=torch.long)
        batch = {"input_ids": ids}
        # Without a mask or with a fused kernel, these read values, and meta tensors have none.
        if "causal" in family.heads:
            batch["attention_mask"] = torch.ones_like(ids)
            model.set_attn_implementation("eager")
        if model.config.is_encoder_decoder:
            batch["decoder_input_ids"] = ids
        rows = [
            row
            for part in family.parts(model)
            for row in torchinfo.summary(
                part, input_data=batch, device="meta", depth=99, verbose=0, **family.arguments
            ).summary_list
        ]
    names = {module: name for name, module in model.named_modules()}
    runs = Counter(names[row.module] for row in rows)
    return runs, {names[row.module]: row.output_size for row in rows}


def _layers(model: PreTrainedModel, runs: Counter[str], outputs: dict[str, list[int]]) -> list[Layer]:
    """List the modules with weights, in the order in which they run; a weight counts where it first appears."""
    modules = dict(model.named_modules())
    places: dict[nn.Parameter, str] = {}
    layers = []
    for name in [*runs, *(name for name in modules if name not in runs)]:
        weights = dict(modules[name].named_parameters(recurse=False))
        shared = {key: places[weight] for key, weight in weights.items() if weight in places}
        if weights and (name in runs or len(shared) < len(weights)):
            layers.append(
                Layer(
                    name=name,
                    kind=type(modules[name]).__name__,
                    modules=1,
                    runs=runs[name],
                    weights={key: tuple(weight.shape) for key, weight in weights.items()},
                    output=tuple(outputs.get(name, ())),
                    parameters=sum(weight.numel() for key, weight in weights.items() if key not in shared),
                    shared=shared,
                )
            )
        places.update({weight: f"{name}.{key}" for key, weight in weights.items() if key not in shared})
    return layers


def _alike(layers: list[Layer]) -> list[Layer]:
    """Merge layers that differ only in their number into one row."""
    groups: dict[str, list[Layer]] = {}
    for layer in layers:
        pattern = replace(layer, name=re.sub(r"\.\d+(?=\.|$)", ".*", layer.name))
        groups.setdefault(repr(pattern), []).append(layer)
    return [
        replace(
            alike[0],
            name=re.sub(r"\.\d+(?=\.|$)", ".*", alike[0].name) if len(alike) > 1 else alike[0].name,
            modules=len(alike),
            parameters=sum(layer.parameters for layer in alike),
        )
        for alike in groups.values()
    ]


def _values(
    family: Family, preset: str, config: PretrainedConfig, tokenizer: PreTrainedTokenizerBase, length: int
) -> list[Value]:
    origins = family.provenance(preset)
    decided = {**family.identifiers(tokenizer), **family.positions(tokenizer, length)}
    derived = family.derive({**family.presets[preset].values})
    origins |= {key: "the other values" for key in derived if key not in origins}
    origins |= {key: OWNERS[key] for key in decided}
    unknown = {key: "–" for key in decided if key.endswith("_token_id")}  # no tokenizer is at hand
    return [Value(key, unknown.get(key, getattr(config, key)), origin) for key, origin in origins.items()]


def _costs(family: Family, model: PreTrainedModel, runs: Counter[str], length: int) -> list[Cost]:
    layers, head = Counter[str](), Counter[str]()
    output = model.get_output_embeddings()
    for name, module in model.named_modules():
        if isinstance(module, family.matrices) or module is output:
            of_head = module is output or name.split(".")[0] == family.head_name
            where = head if of_head else layers
            where[family.token_of(name)] += 2 * runs[name] * module.get_parameter("weight").numel()
    return [
        Cost(token, layers[token], 4 * width * length, head[token])
        for token, width in family.attention(model.config).items()
    ]
