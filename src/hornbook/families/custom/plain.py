"""A plain `nn.Module` as a family: wrapped into a class of transformers that is written beside its file."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any, ClassVar

from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from hornbook.blame import WRAPPER
from hornbook.errors import HornbookError, nearest
from hornbook.families.custom.declarations import needed, taken
from hornbook.families.custom.family import Custom
from hornbook.families.custom.source import Source, import_beside
from hornbook.families.family import Family
from hornbook.families.positions import Scheme
from hornbook.families.preset import Preset
from hornbook.registry import check_declared

_WRAPPER = Path(__file__).with_name("wrapper.txt")
_INPUTS = frozenset({"attention_mask", "position_ids", "token_type_ids"})
_OWNED = {
    "vocab_size": "the tokenizer",
    "length": "model.length",
    "pad_token_id": "the tokenizer",
    "bos_token_id": "the tokenizer",
    "eos_token_id": "the tokenizer",
}
"""Arguments that a constructor gets by these names if it takes them, and who states them."""


class Plain(Custom):
    """A module that takes ids (batch, length) and gives hidden states or logits (batch, length, ...)."""

    kind = "bpe"  # a recipe's tokenizer.kind says otherwise
    position_table: ClassVar[str | None] = None
    position_schemes: ClassVar = ()  # its own way, which nobody else knows
    counts_from_pad = False
    freezes_pad = False
    obeys_is_decoder = False
    types_as_words = False
    matrices = (nn.Linear,)
    arguments: ClassVar = {}
    tiny: ClassVar = {}

    def configure(
        self,
        preset: str,
        tokenizer: PreTrainedTokenizerBase,
        length: int,
        overrides: Mapping[str, Any],
        scheme: Scheme | None = None,
    ) -> PretrainedConfig:
        """Make the configuration: what the constructor is given, and what it doesn't ask for.

        Raises HornbookError for an argument that the constructor doesn't know, and for one that nobody gives.
        """
        given = self.accept(overrides)
        asked = [
            name
            for name, one in self._constructor.items()
            if one.default is inspect.Parameter.empty and name not in {*given, *_OWNED}
        ]
        if asked:
            raise HornbookError(
                f"{self.where}'s constructor asks for {', '.join(asked)}, which nobody gives: put it under "
                f"model.config, such as --set model.config.{asked[0]}=...; it gets {', '.join(_OWNED)} by itself"
            )
        values = {**self.identifiers(tokenizer), **self.positions(tokenizer, length)}
        config = self.config_class(arguments=given, **values)
        self.parameters(config)
        return self.sign(config)

    def accept(self, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Refuse what the constructor doesn't take, or gets from tokenizer and length."""
        known = [name for name in self._constructor if name not in _OWNED]
        for name in overrides:
            if name in _OWNED:
                raise HornbookError(
                    f"{name} follows from {_OWNED[name]}, a recipe can't set it; leave it out"
                )
            if name not in known:
                raise HornbookError(f"{self.where}'s constructor takes no {name!r}{nearest(name, known)}")
        return dict(overrides)

    def hidden(self, model: PreTrainedModel, batch: Mapping[str, Tensor]) -> Tensor:
        """Give what the module gives: hidden states, or logits."""
        found: Tensor = model.states(**self._select(batch))
        return found

    @property
    def _constructor(self) -> dict[str, inspect.Parameter]:
        parameters = inspect.signature(self.source.found).parameters
        hidden = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return {name: one for name, one in parameters.items() if one.kind not in hidden}


def plain_family(source: Source, declared: dict[str, Any], preset: str) -> Custom:
    """Make the family of a plain module. Raises HornbookError, by name, for what it doesn't declare."""
    found, where = source.found, f"{source.path}: {source.found.__name__}"
    if preset:
        raise HornbookError(
            f"model.preset: {where} is a plain module, whose sizes are its own: leave {preset} out, and give the "
            "constructor's arguments under model.config"
        )
    needed(
        where,
        declared,
        head="'causal' if each token is predicted from those before it, 'masked' if hidden ones are from all others",
        gives="what forward gives: 'logits', or 'hidden' states, of which the layer that `output` names makes logits",
        style="the special tokens of a new tokenizer: gpt, bert, shared and so on",
        **({"output": "the name of that layer, an nn.Linear"} if declared.get("gives") == "hidden" else {}),
    )
    if len(inspect.signature(found.forward).parameters) < 2:  # self is the first
        raise HornbookError(f"{where}.forward takes nothing: let it take ids (batch, length) first")
    wrapper, config_class = _wrap(source, declared)
    made = {name: value for name, value in declared.items() if name not in ("head", "output")}
    made |= {
        "source": source,
        "name": found.__name__,
        "config_class": config_class,
        "heads": {declared["head"]: wrapper},
        "inputs": frozenset({"input_ids"}) | taken(found, _INPUTS),
        "presets": {found.__name__: Preset({}, source.path.name, 0, 0)},
    }
    made.setdefault("title", found.__name__)
    made.setdefault("paper", source.path.name)
    made.setdefault("head_name", f"module.{declared.get('output', '')}".rstrip("."))
    family = type(found.__name__, (Plain,), made)
    check_declared("family", found.__name__, family, Family)
    return family()


def _wrap(
    source: Source, declared: Mapping[str, Any]
) -> tuple[type[PreTrainedModel], type[PretrainedConfig]]:
    """Write the wrapper beside the imported copy of the file, and import it."""
    name, head = source.found.__name__, str(declared["head"])
    words = {
        "module": name,
        "stem": source.path.stem,
        "output": str(declared["output"]) if declared["gives"] == "hidden" else "",
        "type": f"{source.path.stem}_{name}".lower(),
        "head": head,
        "gives": "hidden states" if declared["gives"] == "hidden" else "logits",
    }
    text = Template(_WRAPPER.read_text("utf-8")).substitute(words)
    module = import_beside(source, WRAPPER.removesuffix(".py"), text)
    wrapper, config_class = getattr(module, f"{name}Model"), getattr(module, f"{name}Config")
    return wrapper, config_class
