"""The result of phase 1, in a folder: words, places for dense tokens, and what the selection gained."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from hornbook.atomic import beside
from hornbook.dense_tokens.insert import Ints
from hornbook.errors import HornbookError
from hornbook.tokenizers import tokenizer_hash

_ARRAYS, _OWN = ("words", "places", "heldout"), "heldout_places"


@dataclass(frozen=True)
class Selection:
    """Windows of text, and the places of their dense tokens."""

    words: Ints
    """Ids, shape (N, L)."""
    places: Ints
    """Columns after which a dense token stands, shape (N, n), ascending; L stands for a deleted one."""
    heldout: Ints
    """Windows of held-out text, shape (M, L)."""
    bytes_per_token: float
    """Average in the held-out text, for bits per byte."""
    facts: dict[str, Any]
    """How it was selected, and what the selection gained."""
    heldout_places: Ints | None = None
    """Where the held-out text has dense tokens of its own, as `places`; None where it has none."""

    @property
    def tokens(self) -> int:
        """Count the dense tokens of all texts."""
        return int((self.places < self.words.shape[1]).sum())

    def fingerprint(self) -> str:
        """Hash the words and places."""
        digest = hashlib.sha256()
        for array in self._arrays().values():
            digest.update(f"{array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def save(self, folder: Path) -> None:
        """Write the folder under another name, then rename it."""
        with beside(folder, folder=True) as new:
            for name, array in self._arrays().items():
                np.save(new / f"{name}.npy", array)
            facts = {"bytes_per_token": self.bytes_per_token, **self.facts}
            (new / "selection.json").write_text(json.dumps(facts, indent=2), "utf-8")

    @classmethod
    def open(cls, folder: Path) -> "Selection":
        """Read a selection. Raises HornbookError for a folder that holds none, or an incomplete one."""
        try:
            names = [*_ARRAYS, *([_OWN] if (folder / f"{_OWN}.npy").exists() else [])]
            arrays = {name: np.load(folder / f"{name}.npy") for name in names}
            facts = json.loads((folder / "selection.json").read_text("utf-8"))
            return cls(**arrays, bytes_per_token=float(facts["bytes_per_token"]), facts=facts)
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = " ".join(str(error).split())
            raise HornbookError(
                f"{folder}: holds no selection ({reason}): make one with `hornbook dense select`"
            ) from error

    def _arrays(self) -> dict[str, Ints]:
        arrays = {name: getattr(self, name) for name in (*_ARRAYS, _OWN)}
        return {name: array for name, array in arrays.items() if array is not None}

    @classmethod
    def open_for(cls, folder: Path, tokenizer: PreTrainedTokenizerBase, model: Path) -> "Selection":
        """Read a selection for a model with this tokenizer. Raises HornbookError if it was made with another one."""
        found = cls.open(folder)
        if found.facts["tokenizer"] != (used := tokenizer_hash(tokenizer)):
            raise HornbookError(
                f"{folder}: tokenizer {found.facts['tokenizer'][:12]} made it, {model} has {used[:12]}: select with "
                "that model"
            )
        return found
