"""A folder read as untrusted data: JSON of bounded size, nothing outside it, no pickle, no code."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError, one_line
from hornbook.families.positions import modeling_positions

_TOKENIZER_JSON = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
)
_JSON = ("config.json", "generation_config.json", *_TOKENIZER_JSON)
_OTHERS = ("merges.txt", "vocab.txt", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
TOKENIZER_FILES = frozenset(_TOKENIZER_JSON + _OTHERS)
_INDEX = "model.safetensors.index.json"
_LARGEST = 64 * 2**20  # bytes; the largest published tokenizer.json have about half
_UNREAD = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt", "*.h5", "*.msgpack")
_CODE = ("auto_map", "custom_pipelines")
SHIPPED = Path(modeling_positions.__file__)
"""The file that Hornbook puts into the folders of models whose positions need it."""


class Folder:
    """A model's or tokenizer's folder; only files with known names are read.

    Raises HornbookError for a folder that isn't there, and for files that are too large, damaged, not JSON
    objects, or links out of the folder.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise HornbookError(f"{path}: there is no such folder: give a model's or a tokenizer's folder")
        self.json: dict[str, dict[str, Any]] = {}
        for name in _JSON:
            if self.has(name):
                self.json[name] = self._read(name)

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
        lines = self._text("merges.txt").split("\n")
        pairs = [line.rstrip("\r").split(" ") for line in lines if line and not line.startswith("#version")]
        return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]

    @cached_property
    def weights(self) -> list[Path]:
        """The safetensors files that hold the model."""
        return [self._inside(path) for path in sorted(self.path.glob("*.safetensors"))]

    @cached_property
    def unread(self) -> list[str]:
        """Names of weight files that only pickle or another framework can open."""
        return sorted(path.name for pattern in _UNREAD for path in self.path.glob(pattern))

    @cached_property
    def code(self) -> list[str]:
        """Where the folder asks for code of its own, and the Python files that it brings, but for Hornbook's own."""
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
        return any(map(self.has, ("tokenizer.json", "vocab.json", "vocab.txt", *_OTHERS[2:])))

    def has(self, name: str) -> bool:
        """Tell whether the folder has a file of this name."""
        return (self.path / name).is_file() or (self.path / name).is_symlink()

    def check(self, weights: bool = True) -> None:
        """Check the files that a library opens by itself: each lies in the folder, and the index names no others."""
        for name in _OTHERS:
            if self.has(name):
                self._text(name) if name.endswith(".txt") else self._inside(self.path / name)
        if weights:
            self._check_index({path.name for path in self.weights})

    def copy_to(self, target: Path, weights: bool = True) -> None:
        """Copy what was read into another folder for a library to open, without code and names of other files."""
        self.check(weights)
        for name, facts in self.json.items():
            if name == "tokenizer.json":
                (target / name).write_bytes((self.path / name).read_bytes())
            else:
                (target / name).write_text(json.dumps(_harmless(facts), ensure_ascii=False), "utf-8")
        for name in _OTHERS:
            if self.has(name):
                (target / name).write_bytes((self.path / name).read_bytes())
        if weights:
            for path in self.weights:
                (target / path.name).symlink_to(path.resolve())
            if self.has(_INDEX):
                (target / _INDEX).write_bytes((self.path / _INDEX).read_bytes())

    def _read(self, name: str) -> dict[str, Any]:
        text = self._text(name)
        try:
            facts = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise HornbookError(
                f"{self.path / name}: it can't be read as JSON ({one_line(error)}): copy it again"
            ) from error
        if not isinstance(facts, dict):
            raise HornbookError(
                f"{self.path / name}: it holds a {type(facts).__name__}, not a JSON object: copy it again"
            )
        return facts

    def _text(self, name: str) -> str:
        path = self._inside(self.path / name)
        try:
            size = path.stat().st_size
            if size > _LARGEST:
                raise HornbookError(
                    f"{path}: it has {size:,} bytes, but at most {_LARGEST:,} are read: check that it is the right file"
                )
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise HornbookError(f"{path}: can't be read ({one_line(error)}): copy it again") from error

    def _inside(self, path: Path) -> Path:
        """Refuse a link that leaves the folder, except links into the hub's own cache."""
        real, here = path.resolve(), self.path.resolve()
        blobs = here.parent.parent / "blobs"
        if not real.is_relative_to(here) and real.parent != blobs:
            raise HornbookError(f"{path}: it leads out of the folder, to {real}: put the file itself there")
        if not real.is_file():
            raise HornbookError(f"{path}: it is not a file: put the file itself there")
        return path

    def _check_index(self, known: set[str]) -> None:
        if not self.has(_INDEX):
            return
        shards = self._read(_INDEX).get("weight_map")
        names = set(shards.values()) if isinstance(shards, dict) else {None}
        for name in names:
            if name not in known:
                raise HornbookError(
                    f"{self.path}: its index of weights names {name!r}, which isn't a safetensors file of the folder: "
                    "copy it again"
                )


def _harmless(facts: dict[str, Any]) -> dict[str, Any]:
    """Leave out the keys that would make a library run code or open another file."""
    return {
        key: value
        for key, value in facts.items()
        if key not in _CODE and not key.endswith("_file") and key not in ("name_or_path", "_name_or_path")
    }


def _asks_for_ours(asked: Any) -> bool:
    """Tell whether an auto_map names nothing but Hornbook's file."""
    return isinstance(asked, dict) and all(str(one).startswith(f"{SHIPPED.stem}.") for one in asked.values())
