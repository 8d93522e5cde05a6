"""A family made of a user's class: what the class doesn't restate, it takes from the family that it builds on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from hornbook.blame import told
from hornbook.errors import HornbookError, one_line
from hornbook.families.custom.declarations import DECLARES
from hornbook.families.custom.source import Source
from hornbook.families.family import Family
from hornbook.families.optimized_kernels import apply_optimized_kernels
from hornbook.families.positions import Scheme
from hornbook.families.weights import read_weights, refuse_incomplete
from hornbook.internals import attention_of
from hornbook.tokenizers import Head

CODE = "hornbook_code"
"""The key of config.json that says which class of which file a model is, and the hash of the file."""

_AUTO: dict[Head, str] = {  # by head
    "causal": "AutoModelForCausalLM",
    "masked": "AutoModelForMaskedLM",
    "pairs": "AutoModelForPreTraining",
    "seq2seq": "AutoModelForSeq2SeqLM",
}


class Custom(Family):
    """How a user's class differs from the family that it builds on.

    It computes as it is written: of its family's faster ways, it takes only those that replace modules of PyTorch and
    transformers one by one.
    """

    source: ClassVar[Source]
    parent: ClassVar[type[PreTrainedModel] | None] = None
    """The class of its family that it is a variant of."""
    gives: ClassVar[str] = "hidden"
    """Whether the loss is computed from `hidden` states and the head's matrix, or from the `logits` of forward."""
    same_as_parent: ClassVar[dict[str, Any] | None] = None
    """Values of the configuration under which it computes what its parent does; None where it never does."""

    def configure(
        self,
        preset: str,
        tokenizer: PreTrainedTokenizerBase,
        length: int,
        overrides: Mapping[str, Any],
        scheme: Scheme | None = None,
    ) -> PretrainedConfig:
        """Make the configuration, which says whose code it is for; a recipe gives such a class no `scheme`."""
        return self.sign(super().configure(preset, tokenizer, length, overrides))

    def sign(self, config: PretrainedConfig) -> PretrainedConfig:
        """Write into a configuration whose code it is for."""
        setattr(config, CODE, self.source.facts)
        return config

    def parameters(self, config: PretrainedConfig, head: Head | None = None) -> int:
        """Count without memory as other families do, or in a real model where the class looks at values while it is
        made."""
        try:
            return super().parameters(config, head)
        except HornbookError:
            model = self.build(config, next(iter(self.heads)) if head is None else head, 0)
            return sum(parameter.numel() for parameter in model.parameters())

    def construct(self, config: PretrainedConfig, head: Head) -> PreTrainedModel:
        """Make the model. Raises HornbookError for whatever the class raises, and for a part that it lacks."""
        try:
            model = super().construct(config, head)
        except HornbookError:
            raise
        except Exception as error:  # whatever a user's class raises
            raise HornbookError(f"{self.where}: it can't be made: {told(error)}") from error
        self._check_parts(model)
        return self._register(model)

    def adapt(self, model: PreTrainedModel) -> PreTrainedModel:
        """Replace modules of PyTorch and transformers by faster ones that compute the same.

        Attention is replaced only where transformers itself gives the class PyTorch's, which reads the same masks.
        Check T10 compares the outcome with the class as it is written.
        """
        apply_optimized_kernels(model, attend=attention_of(model.config) == "sdpa")
        self.fuse(model)
        return model

    def open(self, folder: Path | str, head: Head) -> PreTrainedModel:
        """Read a model back, by the class itself."""
        found = self._serving(head)
        try:
            model, missing = read_weights(found, folder, torch.float32)
        except Exception as error:  # safetensors, JSON, transformers and the class each have their own
            raise HornbookError(f"{folder} can't be opened as {found.__name__}: {told(error)}") from error
        return self.adapt(self._register(refuse_incomplete(model, missing, folder)))

    def hidden(self, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> Tensor:
        """Compute hidden states as the family does, or the logits of forward, as the class declares."""
        if self.gives == "hidden":
            return super().hidden(model, batch)
        return model(**self._select(batch), **self.arguments).logits

    def hidden_and_labels(self, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Leave no place out, since it isn't known which ones a user's class needs."""
        return self.hidden(model, batch), batch["labels"]

    def features(self, model: PreTrainedModel, hidden: Tensor) -> Tensor:
        """Logits are left as they are."""
        return super().features(model, hidden) if self.gives == "hidden" else hidden

    def output(self, model: PreTrainedModel) -> nn.Linear | None:
        """Logits need no matrix."""
        return super().output(model) if self.gives == "hidden" else None

    @property
    def where(self) -> str:
        """Name the class and its file, for messages."""
        return f"{self.source.path}: {self.source.found.__name__}"

    def shown(self, preset: str) -> str:
        """Name the model in tables: the class with its size, or the file of a class that has none."""
        return self.source.path.name if self.parent is None else f"{self.source.found.__name__}, {preset}"

    def _check_parts(self, model: PreTrainedModel) -> None:
        """Raise HornbookError where the model lacks a part that its declarations name."""
        asks_inner = super().hidden.__func__ is Family.hidden  # type: ignore[attr-defined]
        if self.gives == "hidden" and asks_inner and model.base_model is model:
            raise HornbookError(
                f"{self.where}: its base_model_prefix is {model.base_model_prefix!r}, and it has no attribute of "
                "that name: set base_model_prefix to the name of the inner model, which gives the last hidden states"
            )
        try:
            output = self.output(model)
        except AttributeError as error:
            raise HornbookError(
                f"{self.where}: {one_line(error)}: the output layer is looked for under that name"
            ) from error
        if self.gives == "hidden" and not isinstance(output, nn.Linear):
            raise HornbookError(
                f"{self.where}: get_output_embeddings() gives {type(output).__name__}, not the nn.Linear that makes "
                f"the logits: let it give that, or declare {DECLARES} = {{'gives': 'logits'}} in the class"
            )
        if self.position_table is not None:
            try:
                model.base_model.get_submodule(self.position_table)
            except AttributeError as error:
                raise HornbookError(
                    f"{self.where}: it has no layer {self.position_table!r}, the position table of a {self.name}: "
                    f"declare another's name in the class, or none: {DECLARES} = {{'position_table': None}}"
                ) from error

    def _register(self, model: PreTrainedModel) -> PreTrainedModel:
        """Let `save_pretrained` write the code beside the weights, and `auto_map` into the configuration."""
        kind = type(model)
        kind.register_for_auto_class(_AUTO.get(next(iter(self.heads)), "AutoModelForPreTraining"))
        if self.config_class.__module__.startswith(kind.__module__.rpartition(".")[0]):
            self.config_class.register_for_auto_class()
        inner = type(model.base_model)
        inner = inner if inner.__module__ == kind.__module__ else kind
        model.config.auto_map = {"AutoModel": f"{kind.__module__.rpartition('.')[2]}.{inner.__name__}"}
        return model
