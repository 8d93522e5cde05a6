"""A trained model, opened for use: a run's, or any Hugging Face folder of a family that is known here."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.families import TYPES, Family, Head
from hornbook.machine import choose_device
from hornbook.objectives import Vocabulary
from hornbook.tokenizers import load

COMMANDS: dict[Head, str] = {
    "causal": "generate",
    "masked": "unmask",
    "pairs": "unmask",
    "seq2seq": "infill",
}
"""The command that lets a model with this head write."""

_NEEDED: dict[Head, tuple[str, ...]] = {
    "causal": ("eos",),
    "masked": ("cls", "sep", "mask"),
    "pairs": ("cls", "sep", "mask", "pad"),
    "seq2seq": ("eos",),
}
"""Tokens without which a model with this head can't be used."""

_RELATIVE = 512
"""Tokens that T5 was published with; its positions are relative, and a config needn't state a length."""

_TOKENIZER_FILES = ("tokenizer.json", "vocab.*", "*.model")


@dataclass(frozen=True)
class LoadedModel:
    """A model in evaluation mode, with its tokenizer."""

    folder: Path
    """Where the weights lie."""
    name: str
    family: Family
    head: Head
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    length: int
    """Tokens that it takes at once, special tokens included."""
    remark: str = ""
    """What a user should know about which weights these are; empty for a finished model."""

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The tokenizer's ids by what they mean."""
        return Vocabulary.of(self.tokenizer)

    def serves(self, head: Head) -> bool:
        """Tell whether the model has this head; one for pairs holds all of a masked one."""
        return self.head == head or (self.head == "pairs" and head == "masked")

    def need(self, head: Head) -> None:
        """Raise HornbookError, naming the command that fits this model, unless it has the head that is
        needed."""
        if not self.serves(head):
            raise HornbookError(
                f"{self.name} is a {self.head} model, and this needs a {head} one: "
                f"use `hornbook {COMMANDS[self.head]}`"
            )


def load_model(folder: str | Path) -> LoadedModel:
    """Open a run's finished model, else its newest checkpoint; or a Hugging Face folder, whoever made it.

    The model is put where `choose_device` chooses. Raises HornbookError for a folder that isn't there or
    holds no model, for a model of another architecture or with another head, and for a tokenizer that doesn't
    fit it.
    """
    folder = Path(folder)
    place, remark = _find(folder)
    family, head = _recognise(place)
    # Without any file, transformers gives an empty tokenizer.
    if not any(any(place.glob(pattern)) for pattern in _TOKENIZER_FILES):
        raise HornbookError(
            f"{place}: there is no tokenizer in it: put the one there that the model was trained with"
        )
    tokenizer = load(str(place))
    model = family.open(place, head)
    length = _length(family, model, tokenizer)
    model = model.to(choose_device().chosen)
    loaded = LoadedModel(place, folder.resolve().name, family, head, model, tokenizer, length, remark)
    _check(loaded)
    return loaded


def _find(folder: Path) -> tuple[Path, str]:
    """Find the weights in a folder, and say so where they are not the finished ones."""
    if not folder.is_dir():
        raise HornbookError(
            f"{folder}: there is no such folder: give a run's folder, or a Hugging Face model's"
        )
    for place in (folder, folder / "model"):
        if (place / "config.json").is_file():
            return place, ""
    checkpoints = sorted(config.parent for config in folder.glob("checkpoints/step-*/config.json"))
    if not checkpoints:
        raise HornbookError(
            f"{folder}: there is no model in it yet: train it, or give a folder that has a config.json"
        )
    step = int(checkpoints[-1].name.removeprefix("step-"))
    return checkpoints[-1], f"{folder}: this run isn't finished; its checkpoint of step {step:,} is used"


def _recognise(place: Path) -> tuple[Family, Head]:
    """Read a model's family and head from its config.json."""
    try:
        config = json.loads((place / "config.json").read_text("utf-8"))
        kind, classes = config.get("model_type"), set(config.get("architectures") or [])
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise HornbookError(f"{place / 'config.json'}: can't be read ({error}): copy it again") from error
    if kind not in TYPES:
        known = ", ".join(sorted(TYPES))
        raise HornbookError(f"{place}: its model_type is {kind!r}, which isn't known here: known are {known}")
    family = TYPES[kind]
    for head, served in family.heads.items():
        # Without a class, the weights tell: opening a model of which some are missing is refused.
        if not classes or served.__name__ in classes:
            return family, head
    served_names = ", ".join(served.__name__ for served in family.heads.values())
    raise HornbookError(
        f"{place}: it holds a {', '.join(sorted(classes))}, and only {served_names} can be used here"
    )


def _length(family: Family, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Count the tokens that a model takes: those it has positions for, or fewer where its tokenizer says
    so."""
    ((name, unused),) = family.positions(tokenizer, 0).items()
    positions = getattr(model.config, name, _RELATIVE) - unused
    return int(min(positions, tokenizer.model_max_length))


def _check(loaded: LoadedModel) -> None:
    """Refuse a tokenizer that can't be the model's."""
    rows, entries = loaded.model.config.vocab_size, loaded.vocabulary.size
    if entries > rows:
        raise HornbookError(
            f"{loaded.folder}: the tokenizer has ids up to {entries - 1:,}, the model {rows:,} rows: put the "
            "tokenizer there that it was trained with"
        )
    for role in _NEEDED[loaded.head]:
        if getattr(loaded.vocabulary, role) is None:
            raise HornbookError(
                f"{loaded.folder}: the tokenizer declares no {role} token, and a {loaded.head} model needs "
                "one: declare it in tokenizer_config.json"
            )
