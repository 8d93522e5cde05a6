"""A folder read as untrusted data: JSON of bounded size, nothing outside it, no pickle, no code."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hornbook.errors import HornbookError
from hornbook.gate.files import plain_file, read_object, read_small
from hornbook.gate.patterns import check_patterns
from hornbook.gate.sizes import check_sizes

_TOKENIZER_JSON = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
)
_JSON = ("config.json", "generation_config.json", *_TOKENIZER_JSON)
_SETTINGS = ("config.json", "generation_config.json", "tokenizer_config.json")
_SENTENCEPIECE = ("spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
_OTHERS = ("merges.txt", "vocab.txt", "chat_template.jinja", *_SENTENCEPIECE)
TOKENIZER_FILES = frozenset(_TOKENIZER_JSON + _OTHERS)
_INDEX = "model.safetensors.index.json"
_UNREAD = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt", "*.h5", "*.msgpack")
_CODE = ("auto_map", "custom_pipelines")
# A name such as owner/kernel would be fetched from the hub and run; `attn_implementation` is also what config.json
# calls a choice that belongs to the machine, not to the model.
_CHOSEN_HERE = (
    "attn_implementation",
    "_attn_implementation",
    "experts_implementation",
    "_experts_implementation",
)
_DROPPED = (*_CODE, *_CHOSEN_HERE, "name_or_path", "_name_or_path")
SHIPPED = Path(__file__).parents[1] / "families" / "positions" / "modeling_positions.py"
"""The file that Hornbook puts into the folders of models whose positions need it."""


class Folder:
    """A model's or tokenizer's folder; only files with known names are read.

    Raises HornbookError for a folder that isn't there, for files that are too large, damaged, not JSON objects, pipes
    or links out of the folder, for a config.json with numbers that no model has, and for a tokenizer.json whose
    patterns could take for ever.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise HornbookError(f"{path}: there is no such folder: give a model's or a tokenizer's folder")
        self.json: dict[str, dict[str, Any]] = {}
        for name in _JSON:
            if self.has(name):
                self.json[name] = read_object(self._inside(self.path / name))
                if name in _SETTINGS:
                    check_sizes(self.json[name], self.path / name)
        if self.tokenizer is not None:
            check_patterns(self.tokenizer, self.path / "tokenizer.json")

    @property
    def config(self) -> dict[str, Any]:
        """What config.json says; empty if there is none."""
        return self.json.get("config.json", {})

    @property
    def tokenizer_config(self) -> dict[str, Any]:
        """What tokenizer_config.json says; empty if there is none."""
        return self.json.get("tokenizer_config.json", {})

    @property
    def tokenizer(self) -> dict[str, Any] | None:
        """What tokenizer.json says."""
        return self.json.get("tokenizer.json")

    @cached_property
    def merges(self) -> list[tuple[str, str]] | None:
        """The pairs of merges.txt."""
        if not self.has("merges.txt"):
            return None
        lines = read_small(self._inside(self.path / "merges.txt")).split("\n")
        pairs = [line.rstrip("\r").split(" ") for line in lines if line and not line.startswith("#version")]
        return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]

    @cached_property
    def weights(self) -> list[Path]:
        """The safetensors files that hold the model."""
        return [self._inside(path) for path in sorted(self.path.glob("*.safetensors"))]

    @cached_property
    def parts(self) -> list["Folder"]:
        """The folders of further models in it, such as a discriminator's generator."""
        found = [path for path in sorted(self.path.iterdir()) if path.is_dir() and not path.is_symlink()]
        return [Folder(path) for path in found if (path / "config.json").exists()]

    @cached_property
    def unread(self) -> list[str]:
        """Names of weight files that only pickle or another framework can open."""
        return sorted(path.name for pattern in _UNREAD for path in self.path.glob(pattern))

    @cached_property
    def code(self) -> list[str]:
        """Where the folder asks for code of its own, and the Python files that it brings, except Hornbook's own."""
        asked = [
            f"{name}: {key}"
            for name, facts in self.json.items()
            for key in _CODE
            if key in facts and not (self.ours and _asks_for_ours(facts[key]))
        ]
        files = sorted(path.name for path in self.path.glob("*.py"))
        return asked + [name for name in files if not (self.ours and name == SHIPPED.name)]

    @cached_property
    def ours(self) -> bool:
        """Whether it brings the file with which Hornbook tells positions, unchanged."""
        path = self.path / SHIPPED.name
        if not path.is_file() or path.stat().st_size != SHIPPED.stat().st_size:
            return False
        return self._inside(path).read_bytes() == SHIPPED.read_bytes()

    def check_code(self) -> None:
        """Look at the Python files, before they are run: that each lies in the folder."""
        for path in self.path.glob("*.py"):
            self._inside(path)

    @property
    def has_tokenizer(self) -> bool:
        """Whether anything in it can be read as a tokenizer."""
        return any(map(self.has, ("tokenizer.json", "vocab.json", "vocab.txt", *_SENTENCEPIECE)))

    def has(self, name: str) -> bool:
        """Tell whether the folder has anything of this name."""
        return (self.path / name).exists() or (self.path / name).is_symlink()

    def check(self, weights: bool = True) -> None:
        """Check the files that a library opens by itself: each lies in the folder, and the index names no others."""
        for name in _OTHERS:
            if self.has(name):
                plain_file(self._inside(self.path / name))
        if weights:
            self._check_index({path.name for path in self.weights})

    @contextmanager
    def harmless(self, weights: bool = True) -> Iterator[Path]:
        """Give a copy for a library to open, without code, names of other files, and choices of the machine.

        It is removed at the end of the block. An error that names the copy is told of the folder itself.
        """
        with TemporaryDirectory(prefix="hornbook-") as scratch:
            place = Path(scratch) / (self.path.resolve().name or "folder")
            place.mkdir()
            self.copy_to(place, weights)
            try:
                yield place
            except HornbookError as error:
                told = str(error).replace(str(place), str(self.path))
                raise type(error)(told) from error.__cause__

    def copy_to(self, target: Path, weights: bool = True) -> None:
        """Copy what was read into another folder, as `harmless` does."""
        self.check(weights)
        for name, facts in self.json.items():
            if name in _SETTINGS:
                (target / name).write_text(
                    json.dumps(_harmless(facts)), "ascii"
                )  # half a character can't be UTF-8
            else:
                shutil.copyfile(self.path / name, target / name)
        for name in filter(self.has, _OTHERS):
            shutil.copyfile(self.path / name, target / name)
        if weights:
            for path in self.weights:
                _link(target / path.name, path.resolve())
            if self.has(_INDEX):
                shutil.copyfile(self.path / _INDEX, target / _INDEX)
            for part in self.parts:
                (target / part.path.name).mkdir()
                part.copy_to(target / part.path.name)

    def _inside(self, path: Path) -> Path:
        """Refuse a link that leaves the folder, except links into the hub's own cache."""
        real, here = path.resolve(), self.path.resolve()
        blobs = here.parent.parent / "blobs"
        if not real.is_relative_to(here) and real.parent != blobs:
            raise HornbookError(f"{path}: it leads out of the folder, to {real}: put the file itself there")
        plain_file(path, largest=None)
        return path

    def _check_index(self, known: set[str]) -> None:
        if not self.has(_INDEX):
            return
        shards = read_object(self._inside(self.path / _INDEX)).get("weight_map")
        for name in shards.values() if isinstance(shards, dict) else [None]:
            if not isinstance(name, str) or name not in known:
                raise HornbookError(
                    f"{self.path}: its index of weights names {name!r}, which isn't a safetensors file of the folder: "
                    "copy it again"
                )


def _harmless(facts: Any) -> Any:
    """Leave out the keys, at any depth, that would make a library run code, open another file, or choose kernels."""
    if not isinstance(facts, dict):
        return facts
    return {
        key: _harmless(value)
        for key, value in facts.items()
        if key not in _DROPPED and not key.endswith(("_file", "_files"))
    }


def _link(at: Path, to: Path) -> None:
    """Make a link, or a copy where the system doesn't allow links."""
    try:
        at.symlink_to(to)
    except OSError:
        shutil.copyfile(to, at)


def _asks_for_ours(asked: Any) -> bool:
    """Tell whether an auto_map names nothing but Hornbook's file."""
    return isinstance(asked, dict) and all(str(one).startswith(f"{SHIPPED.stem}.") for one in asked.values())
