"""What a model family is: its published presets, and the way from one to a model that fits a tokenizer."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from hornbook.errors import HornbookError, nearest
from hornbook.families.optimized_kernels import apply_optimized_kernels
from hornbook.families.preset import Preset
from hornbook.families.values import OWNERS, known_values
from hornbook.families.weights import read_model
from hornbook.tokenizers import Head


class Family:
    """An architecture: which config and model classes it uses, and what they take from tokenizer and length.

    A family holds no state. Most only declare the attributes; a method is overridden where the Hugging Face
    class departs from the rule. Every attribute has to be declared: one that is missing is refused by name when the
    family is registered.
    """

    name: ClassVar[str]
    """As in a recipe."""
    title: ClassVar[str]
    """As people write it, on pages and in tables."""
    paper: ClassVar[str]
    """Where it was published: authors, year, and the arXiv number or DOI."""
    style: ClassVar[str]
    """The style of special tokens that a new tokenizer for this family gets."""
    kind: ClassVar[str]
    """The kind of tokenizer that is trained for this family by default."""
    config_class: ClassVar[type[PretrainedConfig]]
    """The Hugging Face class of its configurations."""
    heads: ClassVar[dict[Head, type[PreTrainedModel]]]
    """The Hugging Face class that serves each head."""
    head_name: ClassVar[str]
    """The attribute under which those classes keep what turns hidden states into logits."""
    inputs: ClassVar[frozenset[str]]
    """The batch keys that `hidden` uses; `labels` may always be there."""
    position_table: ClassVar[str | None]
    """The inner model's layer that has a vector for each position; None where positions are rotary or relative."""
    counts_from_pad: ClassVar[bool]
    """Whether the class numbers a text's tokens from pad id + 1 on, and gives padding the position pad id."""
    freezes_pad: ClassVar[bool]
    """Whether the classes keep the embedding of the pad id at zero, without gradient."""
    obeys_is_decoder: ClassVar[bool]
    """Whether the class reads in both directions unless `is_decoder` in its configuration is true."""
    types_as_words: ClassVar[bool]
    """Whether the class, given `token_type_ids`, adds the word embeddings of these ids to every token."""
    matrices: ClassVar[tuple[type[nn.Module], ...]]
    """The layers whose `weight` is a matrix between hidden states: what Muon orthogonalises, and what costs count."""
    arguments: ClassVar[dict[str, Any]]
    """What else `hidden` tells the model."""
    presets: ClassVar[dict[str, Preset]]
    tiny: ClassVar[dict[str, Any]]
    """Changes of a preset's values that make a model of a few thousand parameters, for tests."""
    derived: ClassVar[tuple[str, ...]] = ()
    """The values that `derive` completes, under each name that a config.json may have them."""
    relatives: ClassVar[dict[str, dict[str, Any]]] = {}
    """Other model types of transformers for which the declarations from `position_table` to `types_as_words` hold, each
    with those that differ. The doctor goes by them, and guesses nothing of any other type."""

    def configure(
        self, preset: str, tokenizer: PreTrainedTokenizerBase, length: int, overrides: Mapping[str, Any]
    ) -> PretrainedConfig:
        """Make the config of `preset` for this tokenizer and sequences of `length` tokens.

        `overrides` changes published values, in the config class's own words. Vocabulary size and ids are the
        tokenizer's (an id that it lacks is None, never the class's default), positions follow from `length`.
        Raises HornbookError for an unknown preset or key, a key that tokenizer, length or head own, and for
        values that the class can't build.
        """
        if preset not in self.presets:
            raise HornbookError(f"{self.name} has no preset {preset!r}{nearest(preset, list(self.presets))}")
        if length < 1:
            raise HornbookError(f"length is {length} tokens; it must be at least 1")
        changes = self.accept(overrides)
        values = {
            **self.presets[preset].values,
            **changes,
            **self.identifiers(tokenizer),
            **self.positions(tokenizer, length),
        }
        try:
            config = self.config_class(**self.derive(values))
            self.check(config)
            self.parameters(config)
        except (StrictDataclassError, ValueError, TypeError, KeyError, ZeroDivisionError) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise HornbookError(
                f"{preset} with {changes} can't be built: {reason}; change these values"
            ) from error
        return config

    def identifiers(self, tokenizer: PreTrainedTokenizerBase) -> dict[str, int | None]:
        """Take from the tokenizer what it owns: the number of rows and the ids of the special tokens."""
        pad = tokenizer.pad_token_id
        for role in ("bos", "eos", "unk", "sep", "cls", "mask"):
            if self.freezes_pad and pad is not None and pad == getattr(tokenizer, f"{role}_token_id"):
                raise HornbookError(
                    f"the tokenizer's pad and {role} are one token (id {pad}), and {self.name} keeps the "
                    "embedding of pad at zero; give padding a token of its own"
                )
        # len() alone misses a vocabulary with holes, whose last id lies beyond its size.
        rows = max(len(tokenizer), max(tokenizer.get_vocab().values()) + 1)
        return {
            "vocab_size": rows,
            "pad_token_id": pad,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        }

    def positions(self, tokenizer: PreTrainedTokenizerBase, length: int) -> dict[str, int]:
        """Say how many positions sequences of `length` tokens need."""
        return {"max_position_embeddings": length}

    def position_rows(self, config: PretrainedConfig, length: int) -> range | None:
        """Say which rows of the position table sequences of `length` tokens use; None where there is no table."""
        first = config.pad_token_id + 1 if self.counts_from_pad else 0
        return range(first, first + length) if self.position_table else None

    def derive(self, values: dict[str, Any]) -> dict[str, Any]:
        """Complete values that follow from others."""
        return values

    def contradiction(self, values: Mapping[str, Any]) -> str | None:
        """Say which values of a config.json the class refuses together; None where there are none."""
        return None

    def check(self, config: PretrainedConfig) -> None:
        """Raise ValueError where the class would silently accept a config that can't be meant."""
        for size in ("hidden_size", "num_hidden_layers", "num_attention_heads"):
            if getattr(config, size) < 1:
                raise ValueError(
                    f"{config.attribute_map.get(size, size)} is {getattr(config, size)}, not at least 1"
                )

    def parameters(self, config: PretrainedConfig, head: Head | None = None) -> int:
        """Count the parameters of the model that `build` would make, shared ones once, without its memory.

        `head` defaults to the family's first.
        """
        with torch.device("meta"):
            model = self.construct(config, next(iter(self.heads)) if head is None else head)
        return sum(parameter.numel() for parameter in model.parameters())

    def provenance(self, preset: str) -> dict[str, str]:
        """Say for each published value where it is published."""
        return dict.fromkeys(self.presets[preset].values, self.presets[preset].source)

    def attention(self, config: PretrainedConfig) -> dict[str, int]:
        """Sum the width of all attentions that a token asks, over the layers, for each kind of token."""
        return {"token": config.num_hidden_layers * config.hidden_size}

    def parts(self, model: PreTrainedModel) -> list[PreTrainedModel]:
        """Name the models that a step runs one after the other: here, the one."""
        return [model]

    def served(self, module: str) -> str:
        """Name the kind of token, as in `attention`, on which a matrix works."""
        return "token"

    def build(self, config: PretrainedConfig, head: Head, seed: int) -> PreTrainedModel:
        """Make a model with random weights in fp32 on the CPU, in training mode.

        The weights depend on `config`, `head` and `seed` alone; `config` and the states of all random
        generators stay as they were. Raises HornbookError for a head that the family can't serve.
        """
        # Seeding the CPU's generator alone, for torch.manual_seed would leave those of GPUs changed.
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            torch.default_generator.manual_seed(seed)
            model = self.construct(config, head)
        return self.adapt(model)

    def construct(self, config: PretrainedConfig, head: Head) -> PreTrainedModel:
        """Make the model with weights as the architecture was published to start from."""
        # The class writes into the config that it gets.
        return self._serving(head)(copy.deepcopy(config))

    def adapt(self, model: PreTrainedModel) -> PreTrainedModel:
        """Change how a new or opened model computes, never what it computes or what is saved."""
        return apply_optimized_kernels(model)

    def fuse(self, model: PreTrainedModel) -> None:
        """Replace whole layers by faster ones, where they are transformers' own: a user's class may have some."""

    def forget_positions(self, model: PreTrainedModel) -> None:
        """Set the position table to zero and let it stay there, so that no place differs from another.

        The class adds zeros then, which is what a model without the table would do; special tokens still tell where a
        text begins and ends. Raises HornbookError where there is no table.
        """
        if self.position_table is None:
            raise HornbookError(f"{self.name} has no position table that could be left out")
        table = model.base_model.get_submodule(self.position_table)
        assert isinstance(table, nn.Embedding)
        nn.init.zeros_(table.weight)
        table.weight.requires_grad_(False)

    def open(self, folder: Path | str, head: Head) -> PreTrainedModel:
        """Read a model back from a folder that `save_pretrained` wrote: the same bits, evaluation mode.

        Raises HornbookError where the folder holds no such model or lacks some of its weights. Nothing is
        fetched and nothing is unpickled.
        """
        return self.adapt(read_model(self._serving(head), folder, torch.float32))

    def hidden(self, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> Tensor:
        """Compute the last hidden states (batch, length, hidden), on which `logits` puts the head.

        `batch` has `input_ids` (batch, length), and any of this family's other `inputs`; `labels` are for the
        loss, and left alone. Raises HornbookError for any other key, which the classes would swallow.
        """
        return model.base_model(**self._select(batch), **self.arguments).last_hidden_state

    def hidden_and_labels(self, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Compute what the loss needs: hidden states (batch, places, hidden), and the labels (batch, places) of these.

        Some families leave places out that have no label, but never the first; `batch` is as for `hidden`.
        """
        return self.hidden(model, batch), batch["labels"]

    def features(self, model: PreTrainedModel, hidden: Tensor) -> Tensor:
        """Compute from hidden states (..., hidden) what the model's output embeddings read (..., width)."""
        return hidden

    def logits(self, model: PreTrainedModel, hidden: Tensor) -> Tensor:
        """Put the head on any selection of hidden states: (..., hidden) to (..., vocabulary).

        Each place is treated by itself, so a selection has the logits that the whole would have there.
        """
        output, features = self.output(model), self.features(model, hidden)
        return features if output is None else output(features)

    def output(self, model: PreTrainedModel) -> nn.Linear | None:
        """Give the matrix that makes logits of features; None where the features are the logits."""
        found: nn.Linear | None = model.get_output_embeddings()
        return found

    def pair_logits(self, model: PreTrainedModel, hidden: Tensor) -> Tensor:
        """Judge pairs of segments, with the head `pairs`: (batch, length, hidden) to (batch, 2).

        The first logit is for segments as they were in the text, the second for any other.
        """
        raise HornbookError(f"{self.name} has no head for pairs; it serves: {', '.join(self.heads)}")

    def refusal(self, head: Head, values: Mapping[str, Any]) -> str | None:
        """Say why a model with these values in its configuration can't have a head; None where it can.

        The answer is empty where no more can be said than that the family has no such head.
        """
        if head not in self.heads:
            return ""
        if head == "pairs" and values.get("type_vocab_size") == 1:
            return (
                "it has 1 type of segment, and a pair has 2 segments: set model.config.type_vocab_size to 2"
            )
        return None

    def _serving(self, head: Head) -> type[PreTrainedModel]:
        if head not in self.heads:
            raise HornbookError(f"{self.name} has no {head} head; it serves: {', '.join(self.heads)}")
        return self.heads[head]

    def _select(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        unused = sorted(batch.keys() - self.inputs - {"labels"})
        if unused:
            known = ", ".join(sorted(self.inputs))
            raise HornbookError(f"{self.name} can't use {', '.join(unused)} of the batch; it takes: {known}")
        return {key: value for key, value in batch.items() if key in self.inputs}

    def accept(self, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Give changes of published values the names under which the class keeps them.

        Raises HornbookError for a key that the class doesn't know, or that tokenizer, length or head own.
        """
        aliases = self.config_class.attribute_map
        known = known_values(self.config_class)
        for key in overrides:
            if key in OWNERS:
                raise HornbookError(f"{key} follows from {OWNERS[key]}, a recipe can't set it; leave it out")
            if key not in known:
                raise HornbookError(f"{self.name} has no value {key!r}{nearest(key, sorted(known))}")
        return {aliases.get(key, key): value for key, value in overrides.items()}
