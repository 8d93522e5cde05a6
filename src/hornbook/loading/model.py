"""Open a trained model for use: a run's, or any Hugging Face folder of a known family."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hornbook.errors import Damaged, HornbookError
from hornbook.families import TYPES, Family, Head
from hornbook.families.custom import Custom
from hornbook.families.weights import read_model
from hornbook.loading.kind import USES, Kind, as_masked, recognise
from hornbook.machine import choose_device
from hornbook.objectives import READING, Reading, Vocabulary, natural_objective
from hornbook.quiet import quieten_transformers
from hornbook.sealed import MANIFEST, find_damage, newest_first
from hornbook.tokenizers import load

_RELATIVE = 512
"""The length of the published T5, in tokens; its positions are relative, so its config need not state a length."""


@dataclass(frozen=True, repr=False)
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
    """What a user should know if these aren't the finished weights; empty for a finished model."""

    def __repr__(self) -> str:
        return (
            f"<{self.name}: {type(self.model).__name__}, {self.head}, {self.model.num_parameters():,} parameters, "
            f"{self.length:,} tokens at once, on {self.model.device}>"
        )

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The tokenizer's ids by what they mean."""
        return Vocabulary.of(self.tokenizer)

    def serves(self, head: Head) -> bool:
        """Tell whether the model has this head; a model for pairs also has the masked head."""
        return head in (self.head, as_masked(self.head))

    @property
    def reading(self) -> Reading | None:
        """The direction in which it learned to read a text; None if its config doesn't say."""
        return getattr(self.model.config, READING, None)

    def need(self, head: Head, reading: Reading | None = None) -> None:
        """Raise HornbookError unless the model has this head, and learned to read in this direction."""
        if not self.serves(head):
            raise HornbookError(
                f"{self.name} is a {self.head} model, but this needs a {head} one: "
                f"use `hornbook {natural_objective(self.head).writes or 'evaluate'}`"
            )
        if self.reading and reading and self.reading != reading:
            raise HornbookError(
                f"{self.name} learned to read {self.reading}, but this reads {reading}: use another model"
            )


class Loadable(Protocol):
    """What knows its own model, such as a run."""

    @property
    def folder(self) -> Path:
        """Where it lies."""
        ...

    @property
    def loaded(self) -> LoadedModel:
        """The model, ready for use."""
        ...


def load_model(folder: str | Path, trust: bool = False) -> LoadedModel:
    """Open a run's finished model, else its newest checkpoint; or a Hugging Face folder, whoever made it.

    With `trust`, code that lies in the folder may run, which a class of one's own needs; without it, none does.
    The model is put where `choose_device` chooses. Raises HornbookError for a folder that isn't there or
    holds no model, for a model of another architecture or with another head, and for a tokenizer that doesn't
    fit it.
    """
    quieten_transformers()
    if not isinstance(folder, str | Path):
        raise HornbookError(
            f"load_model opens a folder, and this is of the type {type(folder).__name__}: give a folder, or use "
            "hornbook.load"
        )
    folder = Path(folder)
    place, remark = _find(folder)
    kind = recognise(place, trust)
    family, head = _served(kind)
    # If there is no tokenizer file, transformers makes an empty tokenizer.
    if not kind.folder.has_tokenizer:
        raise HornbookError(
            f"{place}: there is no tokenizer in it: add the tokenizer that the model was trained with"
        )
    tokenizer = load(str(place))
    with opening(kind) as at:
        model = family.open(at, head)
    length = _length(family, model, tokenizer)
    model = model.to(choose_device().chosen)
    loaded = LoadedModel(place, folder.resolve().name, family, head, model, tokenizer, length, remark)
    _check(loaded)
    return loaded


def open_trained(folder: Path) -> tuple[PreTrainedModel, Head]:
    """Open a model of a known architecture with all its weights, in its own precision, so that it can be saved again.

    Raises HornbookError for a folder without a language model of such an architecture, or without all its weights.
    """
    place = finished(folder) or folder
    kind = recognise(place, trust=None)
    called, found = kind.architecture or "model whose class config.json doesn't name,", kind.model_class
    if not (kind.family and kind.head and found and found.__name__ == called):
        raise HornbookError(
            f"{folder} holds a {called} of type {kind.model_type}: give a language model of one of the types "
            f"{', '.join(sorted(TYPES))}"
        )
    config = kind.folder.config
    named = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    if not isinstance(precision := getattr(torch, named, None), torch.dtype):
        raise HornbookError(
            f"{folder}: its dtype is {named!r}, which PyTorch doesn't have: write float32 there"
        )
    with opening(kind) as at:
        if not kind.served:
            return read_model(found, at, "auto"), kind.head
        return kind.family.open(at, kind.head).to(precision), as_masked(kind.head)


@contextmanager
def opening(kind: Kind) -> Iterator[Path]:
    """Give a harmless copy of a model's folder to open; the folder itself where the user trusts the code in it."""
    if isinstance(kind.family, Custom):
        yield kind.folder.path
        return
    with kind.folder.harmless() as place:
        yield place


def finished(folder: Path) -> Path | None:
    """Find the finished model in a model's or a run's folder; None if there is none."""
    return next((at for at in (folder, folder / "model") if (at / "config.json").is_file()), None)


def _find(folder: Path) -> tuple[Path, str]:
    """Find the weights in a folder, with a remark if they are not the finished ones."""
    if not folder.is_dir():
        raise HornbookError(
            f"{folder}: there is no such folder: give a run's folder, or a Hugging Face model's"
        )
    if place := finished(folder):
        if problem := _damage(place):
            raise Damaged(
                f"{place}: {problem}: `hornbook train` with the run's recipe makes it again from its checkpoint; if "
                f"you changed it yourself, delete {place / MANIFEST}"
            )
        return place, ""
    checkpoints = [one for one in newest_first(folder / "checkpoints") if (one / "config.json").is_file()]
    if not checkpoints:
        raise HornbookError(
            f"{folder}: there is no model in it yet: train it, or give a folder that has a config.json"
        )
    told = ""
    for place in checkpoints:
        if problem := _damage(place):
            told += f"; {place}: {problem}"
            continue
        step = int(place.name.removeprefix("step-"))
        return place, f"{folder}: this run isn't finished; its checkpoint of step {step:,} is used{told}"
    raise Damaged(f"{folder}: none of the {len(checkpoints)} checkpoints is whole{told}: train it anew")


def _damage(place: Path) -> str | None:
    """Say how a folder differs from its manifest; None if it doesn't, or has none, as other libraries' have."""
    return find_damage(place) if (place / MANIFEST).is_file() else None


def _served(kind: Kind) -> tuple[Family, Head]:
    """Refuse a model of another family, or with a head that its family doesn't have."""
    where = kind.folder.path
    if kind.family is None:
        known = ", ".join(sorted(TYPES))
        raise HornbookError(
            f"{where}: its model_type is {kind.model_type!r}, which isn't known here: the known types are {known}"
        )
    if not kind.served or kind.head is None:
        served = ", ".join(served.__name__ for served in kind.family.heads.values())
        raise HornbookError(f"{where}: it holds a {kind.architecture}, but only {served} can be used here")
    return kind.family, kind.head


def _length(family: Family, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the most tokens that a model takes: those that it has positions for, or fewer if its tokenizer says so."""
    ((name, unused),) = family.positions(tokenizer, 0).items()
    positions = getattr(model.config, name, _RELATIVE) - unused
    return int(min(positions, tokenizer.model_max_length))


def _check(loaded: LoadedModel) -> None:
    """Refuse a tokenizer that can't be the model's."""
    rows, entries = loaded.model.config.vocab_size, loaded.vocabulary.size
    if entries > rows:
        raise HornbookError(
            f"{loaded.folder}: the tokenizer has ids up to {entries - 1:,}, the model {rows:,} rows: put in "
            "the tokenizer that the model was trained with"
        )
    for role in USES[loaded.head].roles if loaded.head in USES else ():
        if getattr(loaded.vocabulary, role) is None:
            raise HornbookError(
                f"{loaded.folder}: the tokenizer declares no {role} token, but a {loaded.head} model needs "
                "one: declare it in tokenizer_config.json"
            )
