"""Begin a run from another one's model, in place of fresh weights."""

import hashlib
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.loading.model import finished
from hornbook.recipe import Recipe
from hornbook.sealed import MANIFEST, find_damage
from hornbook.tokenizers import load


def begin_from(recipe: Recipe, model: PreTrainedModel) -> None:
    """Put the weights of `model.from` into a new model.

    Raises HornbookError for a folder without a whole model, and where a weight's name or shape is another.
    """
    folder = _folder(recipe)
    weights = recipe.model.family.open(folder, recipe.objective.head).state_dict()
    own = model.state_dict()
    other = [
        f"{name}: {_shape(weights.get(name))} there, {_shape(own.get(name))} here"
        for name in dict.fromkeys([*own, *weights])
        if _shape(weights.get(name)) != _shape(own.get(name))
    ]
    if other:
        raise HornbookError(
            f"model.from {folder}: {len(other)} of its weights don't fit this recipe's model ({'; '.join(other[:3])}): "
            "take the same preset, length, objective and model.config"
        )
    model.load_state_dict(weights)


def check_entries(recipe: Recipe, tokenizer: PreTrainedTokenizerBase) -> None:
    """Raise HornbookError where the tokenizer isn't that of `model.from`: its rows would mean other tokens."""
    folder = _folder(recipe)
    there, here = load(str(folder)).get_vocab(), tokenizer.get_vocab()
    if there != here:
        other = sum(there.get(token) != number for token, number in here.items())
        raise HornbookError(
            f"model.from {folder}: its tokenizer has {len(there):,} entries, this recipe's {len(here):,}, and "
            f"{other:,} of these differ: set tokenizer.path to {folder}"
        )


def origin(recipe: Recipe) -> dict[str, Any]:
    """Say where a run began: the folder, and the SHA-256 of its weights."""
    folder = _folder(recipe)
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return {"folder": str(folder), "sha256": digest.hexdigest()}


def _folder(recipe: Recipe) -> Path:
    named = Path(str(recipe.model.begun_from)).expanduser()
    if not named.is_dir() or (folder := finished(named)) is None:
        raise HornbookError(
            f"model.from {named}: there is no finished model: name a model's folder, or a run's"
        )
    if (folder / MANIFEST).is_file() and (problem := find_damage(folder)):
        raise HornbookError(f"model.from {folder}: {problem}: copy it again")
    return folder


def _shape(tensor: Any) -> list[int] | None:
    return None if tensor is None else list(tensor.shape)
