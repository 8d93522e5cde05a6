"""What a model family is: its published presets, and how a preset becomes a model that fits a tokenizer."""

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
from hornbook.families.positions import SCHEME_KEY, TABLES, Scheme, class_for, has_table
from hornbook.families.positions.tables import freeze_table
from hornbook.families.preset import Preset
from hornbook.families.values import OWNERS, known_values
from hornbook.families.weights import read_model
from hornbook.tokenizers import Head, Style


class Family:
    """An architecture: which config and model classes it uses, and what they take from tokenizer and length.

    A family holds no state. Most only declare the attributes; a method is overridden where the Hugging Face
    class departs from the rule. Every attribute has to be declared: one that is missing is refused by name when the
    family is registered.
    """

    name: ClassVar[str]
    """Its name in a recipe."""
    title: ClassVar[str]
    """Its name on pages and in tables."""
    paper: ClassVar[str]
    """Where it was published: authors, year, and the arXiv number or DOI."""
    style: ClassVar[str]
    """The style of special tokens (`tokenizers/style.py`) that a new tokenizer for this family gets by default."""
    styles: ClassVar[dict[str, Style]] = {}
    """Styles that no other family has, by name."""
    kind: ClassVar[str]
    """The kind of tokenizer that is trained for this family by default: bpe, wordpiece, ..."""
    config_class: ClassVar[type[PretrainedConfig]]
    """The Hugging Face class of its configurations."""
    heads: ClassVar[dict[Head, type[PreTrainedModel]]]
    """The Hugging Face class for each head, which is what objectives ask for: causal, masked, pairs, seq2seq, ..."""
    head_name: ClassVar[str]
    """The attribute of those classes that holds the layers which turn hidden states into logits."""
    inputs: ClassVar[frozenset[str]]
    """The batch keys that `hidden` passes on; `labels` may always be there. Leave `position_ids` out where the class
    takes them, but doesn't keep packed documents apart by them: then a document mask is refused."""
    position_table: ClassVar[str | None]
    """The path in the base model of its position table; None if positions are rotary or relative."""
    position_schemes: ClassVar[tuple[Scheme, ...]]
    """What `model.positions` can be in a recipe; the architecture's own scheme comes first."""
    queries_and_keys: ClassVar[tuple[str, ...]] = ()
    """In an attention, the names of the layers that make queries and keys, or of one that makes values, too. Needed
    where rotary positions can replace the table."""
    counts_from_pad: ClassVar[bool]
    """Whether the class numbers a text's tokens from pad id + 1 on, and gives padding the position pad id."""
    freezes_pad: ClassVar[bool]
    """Whether the classes keep the embedding of the pad id at zero, without gradient."""
    obeys_is_decoder: ClassVar[bool]
    """Whether the class reads in both directions unless `is_decoder` in its configuration is true."""
    types_as_words: ClassVar[bool]
    """Whether the class, given `token_type_ids`, adds the word embeddings of these ids to every token."""
    matrices: ClassVar[tuple[type[nn.Module], ...]]
    """The layers whose `weight` is a matrix between hidden states; Muon orthogonalises it, and costs count it."""
    arguments: ClassVar[dict[str, Any]]
    """Other arguments that `hidden` passes to the model."""
    presets: ClassVar[dict[str, Preset]]
    tiny: ClassVar[dict[str, Any]]
    """Changes of a preset's values that make a model of a few thousand parameters, for tests."""
    derived: ClassVar[tuple[str, ...]] = ()
    """The values that `derive` computes, under each name that a config.json may give them."""
    relatives: ClassVar[dict[str, dict[str, Any]]] = {}
    """Other model types of transformers that share the declarations from `position_table` to `types_as_words`, each
    with its own differences. The doctor uses these declarations, and guesses nothing about other types."""

    def configure(
        self,
        preset: str,
        tokenizer: PreTrainedTokenizerBase,
        length: int,
        overrides: Mapping[str, Any],
        scheme: Scheme | None = None,
    ) -> PretrainedConfig:
        """Make the config of `preset` for this tokenizer, sequences of `length` tokens and a scheme of positions.

        `overrides` changes published values, under the config class's own names. Vocabulary size and ids are the
        tokenizer's (an id that it lacks is None, never the class's default); `scheme` is by default the family's own.
        Raises HornbookError for an unknown preset or key, for a key that tokenizer, length or head set, and for
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
            if scheme not in (None, *self.position_schemes[:1]):  # the own scheme isn't written down
                layers = {"table": self.position_table, "queries_and_keys": self.queries_and_keys}
                setattr(config, SCHEME_KEY, {"scheme": scheme} | ({} if scheme in TABLES else layers))
            self.check(config)
            self.parameters(config)
        except (StrictDataclassError, ValueError, TypeError, KeyError, ZeroDivisionError) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            told = f"{preset} with {changes} can't be built: {reason}; change these values"
            raise HornbookError(told) from error
        return config

    def identifiers(self, tokenizer: PreTrainedTokenizerBase) -> dict[str, int | None]:
        """Take the number of rows and the ids of the special tokens from the tokenizer."""
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
        """Give the config's values that say how many positions sequences of `length` tokens need."""
        return {"max_position_embeddings": length}

    def position_rows(self, config: PretrainedConfig, length: int) -> range | None:
        """Give the rows of the position table for sequences of `length` tokens; None where there is no table."""
        if self.position_table is None or not has_table(config):
            return None
        first = config.pad_token_id + 1 if self.counts_from_pad else 0
        return range(first, first + length)

    def derive(self, values: dict[str, Any]) -> dict[str, Any]:
        """Complete values that follow from others."""
        return values

    def contradiction(self, values: Mapping[str, Any]) -> str | None:
        """Say which values of a config.json contradict each other for the class; None if none do."""
        return None

    def check(self, config: PretrainedConfig) -> None:
        """Raise ValueError for a config that makes no sense but that the class would silently accept."""
        for size in ("hidden_size", "num_hidden_layers", "num_attention_heads"):
            if getattr(config, size) < 1:
                raise ValueError(
                    f"{config.attribute_map.get(size, size)} is {getattr(config, size)}, not at least 1"
                )

    def parameters(self, config: PretrainedConfig, head: Head | None = None) -> int:
        """Count the parameters of the model that `build` would make, shared ones once, without using its memory.

        `head` defaults to the family's first.
        """
        with torch.device("meta"):
            model = self.construct(config, next(iter(self.heads)) if head is None else head)
        return sum(parameter.numel() for parameter in model.parameters())

    def provenance(self, preset: str) -> dict[str, str]:
        """Say for each published value where it is published."""
        return dict.fromkeys(self.presets[preset].values, self.presets[preset].source)

    def attention(self, config: PretrainedConfig) -> dict[str, int]:
        """Give W of `Cost` for each kind of token: the width of all heads together, summed over the layers."""
        return {"token": config.num_hidden_layers * config.hidden_size}

    def parts(self, model: PreTrainedModel) -> list[PreTrainedModel]:
        """Give the models that a training step runs, in their order: here, the one."""
        return [model]

    def token_of(self, module: str) -> str:
        """Name the kind of token, a key of `attention`, whose cost a module's matrix belongs to."""
        return "token"

    def build(self, config: PretrainedConfig, head: Head, seed: int) -> PreTrainedModel:
        """Make a model with random weights in fp32 on the CPU, in training mode.

        The weights depend on `config`, `head` and `seed` alone; `config` and the states of all random
        generators stay as they were. Raises HornbookError for a head that the family can't serve.
        """
        # Seed only the CPU's generator: torch.manual_seed would also change those of GPUs.
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            torch.default_generator.manual_seed(seed)
            model = self.construct(config, head)
        freeze_table(model, self.position_table, self.position_rows(model.config, 1), new=True)
        return self.adapt(model)

    def construct(self, config: PretrainedConfig, head: Head) -> PreTrainedModel:
        """Make the model with the initial weights that the architecture was published with."""
        # The class writes into the config that it gets.
        return class_for(self._serving(head), config)(copy.deepcopy(config))

    def adapt(self, model: PreTrainedModel) -> PreTrainedModel:
        """Change how a new or opened model computes, never what it computes or what is saved."""
        return apply_optimized_kernels(model)

    def fuse(self, model: PreTrainedModel) -> None:
        """The part of `adapt` that replaces whole layers, where they are transformers' own: a user's may be others."""

    def open(self, folder: Path | str, head: Head) -> PreTrainedModel:
        """Read a model back from a folder that `save_pretrained` wrote: the same bits, evaluation mode.

        Raises HornbookError where the folder holds no such model or lacks some of its weights. Nothing is
        fetched and nothing is unpickled.
        """
        model = read_model(self._serving(head), folder, torch.float32)
        freeze_table(model, self.position_table, self.position_rows(model.config, 1), new=False)
        return self.adapt(model)

    def hidden(self, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> Tensor:
        """Compute the last hidden states (batch, length, hidden), which `logits` reads.

        `batch` has `input_ids` (batch, length), and any of this family's other `inputs`; `labels` are for the
        loss, and not used here. Raises HornbookError for any other key, which the classes would silently ignore.
        """
        return model.base_model(**self._select(batch), **self.arguments).last_hidden_state

    def hidden_and_labels(self, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Compute what the loss needs: hidden states (batch, places, hidden) and their labels (batch, places).

        Some families leave out places without a label, but never the first place. `batch` is as for `hidden`.
        """
        return self.hidden(model, batch), batch["labels"]

    def features(self, model: PreTrainedModel, hidden: Tensor) -> Tensor:
        """Compute from hidden states (..., hidden) what the model's output embeddings read (..., width)."""
        return hidden

    def logits(self, model: PreTrainedModel, hidden: Tensor) -> Tensor:
        """Apply the head to any selection of hidden states: (..., hidden) to (..., vocabulary).

        Each place is computed by itself, so a selection has the same logits as the whole.
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

        The answer is empty if the only reason is that the family has no such head.
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
        """Give the changes under the names that the config class uses.

        Raises HornbookError for a key that the class doesn't know, or that tokenizer, length or head set.
        """
        aliases = self.config_class.attribute_map
        known = known_values(self.config_class)
        for key in overrides:
            if key in OWNERS:
                raise HornbookError(f"{key} follows from {OWNERS[key]}, a recipe can't set it; leave it out")
            if key not in known:
                raise HornbookError(f"{self.name} has no value {key!r}{nearest(key, sorted(known))}")
        return {aliases.get(key, key): value for key, value in overrides.items()}
