"""A mended copy before it is written: the folder's files as plain data, which menders change."""

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from hornbook.atomic import beside
from hornbook.contract.subject import Subject
from hornbook.errors import HornbookError
from hornbook.gate import SHIPPED, TOKENIZER_FILES

MULTIPLE = 64
"""Vocabularies are rounded up to a multiple of this, for the matrix kernels of GPUs."""

BACKEND = "TokenizersBackend"
"""The class of transformers that opens a tokenizer.json as it stands."""

_MARKS = ("single_word", "lstrip", "rstrip", "normalized", "special")
"""How an added token is found in a text."""


@dataclass
class Draft:
    """What the mended copy will hold. A mender changes it and returns whether it could."""

    subject: Subject
    config: dict[str, Any]
    tokenizer_config: dict[str, Any]
    tokenizer: dict[str, Any] | None
    """The tokenizer.json; of older files alone, the one that transformers makes of them."""
    generation: dict[str, Any]
    dropped: set[str] = field(default_factory=set)
    """Files that are left out."""
    rows: int | None = None
    """Rows that the embedding must have."""
    untied: bool = False
    """Whether the head gets weights of its own."""

    @classmethod
    def of(cls, subject: Subject) -> "Draft":
        """Begin with the folders as they are."""
        model, tokens = subject.model_folder, subject.tokenizer_folder
        return cls(
            subject,
            copy.deepcopy(model.config) if model else {},
            copy.deepcopy(tokens.tokenizer_config) if tokens else {},
            copy.deepcopy(tokens.tokenizer or subject.backend) if tokens else None,
            copy.deepcopy(model.json.get("generation_config.json", {})) if model else {},
        )

    @property
    def weighted(self) -> bool:
        """Whether there are weights that a change of size must carry along."""
        return bool(self.subject.model_folder and self.subject.model_folder.weights)

    @property
    def written(self) -> bool:
        """Whether the folder has a tokenizer.json."""
        return bool(self.subject.tokenizer_folder and self.subject.tokenizer_folder.tokenizer)

    @property
    def _opened_as_it_stands(self) -> bool:
        return self.tokenizer_config.get("tokenizer_class") == BACKEND

    def verbatim(self) -> bool:
        """Let AutoTokenizer open tokenizer.json as it stands.

        The tokens that only the class adds, such as T5's sentinels, and the roles that it knows are written down.
        """
        opened = self.subject.tokenizer
        if self.tokenizer is None or opened is None:
            return False
        self._keep_added(opened.backend_tokenizer)
        known = {token["content"] for token in self.tokenizer["added_tokens"]} | set(_names(self.tokenizer))
        roles = {
            role: str(token) for role, token in opened.special_tokens_map.items() if isinstance(token, str)
        }
        for role, token in roles.items():
            if token in known:
                self.tokenizer_config.setdefault(role, token)
        self.tokenizer_config["tokenizer_class"] = BACKEND
        self.tokenizer_config.setdefault("model_input_names", list(opened.model_input_names))
        if opened.model_max_length < 10**9:
            self.tokenizer_config.setdefault("model_max_length", opened.model_max_length)
        return True

    def _keep_added(self, opened: Tokenizer) -> None:
        """Append the tokens that tokenizer.json lacks, in the order of their ids."""
        assert self.tokenizer is not None
        listed = self.tokenizer["added_tokens"]
        ids = {name: i for i, name in enumerate(_names(self.tokenizer))}
        if isinstance(held := self.tokenizer["model"]["vocab"], dict):
            ids = dict(held)
        ids |= {token["content"]: token["id"] for token in listed}
        for _, token in sorted(opened.get_added_tokens_decoder().items()):
            if token.content not in ids:
                ids[token.content] = max(ids.values()) + 1
                marks = {name: getattr(token, name) for name in _MARKS}
                listed.append({"id": ids[token.content], "content": token.content, **marks})

    def configure(self, **values: Any) -> bool:
        """Set values of config.json; False where one is None."""
        self.config |= values
        return None not in values.values()

    def tokenize(self, **values: Any) -> bool:
        """Set values of tokenizer_config.json; False where one is None."""
        self.tokenizer_config |= values
        return None not in values.values()

    def write(self, out: Path) -> None:
        """Write the copy: unchanged weights are copied, changed ones are saved again as safetensors.

        Raises HornbookError where `out` exists already.
        """
        if out.exists():
            raise HornbookError(f"{out} exists already, and nothing is overwritten: give a new folder")
        model, tokens = self.subject.model_folder, self.subject.tokenizer_folder
        with beside(out, folder=True) as place:
            for folder in {id(one): one for one in (model, tokens) if one is not None}.values():
                names = TOKENIZER_FILES if folder is tokens else frozenset()
                names |= {"config.json", "generation_config.json"} if folder is model else set()
                names |= {SHIPPED.name} if folder is model and folder.ours else set()
                for name in sorted(names - self.dropped):
                    if folder.has(name):
                        shutil.copyfile(folder.path / name, place / name)
            if model is not None:
                self._write_model(place)
                _write(place / "config.json", self.config)
            if self.generation:
                _write(place / "generation_config.json", self.generation)
            if tokens is not None:
                _write(place / "tokenizer_config.json", self.tokenizer_config)
                # transformers 5 reads roles from tokenizer_config.json, and an old map would override them.
                (place / "special_tokens_map.json").unlink(missing_ok=True)
            if self.tokenizer is not None and (self.written or self._opened_as_it_stands):
                _write(place / "tokenizer.json", self.tokenizer)

    def _write_model(self, place: Path) -> None:
        model, folder = self.subject.model, self.subject.model_folder
        if not self.weighted or folder is None:
            return
        if self.rows is None and not self.untied:
            for path in [*folder.weights, folder.path / "model.safetensors.index.json"]:
                if path.is_file():
                    shutil.copyfile(path, place / path.name)
            return
        assert isinstance(model, nn.Module)
        changed: Any = copy.deepcopy(model)
        if self.untied:
            # T5 1.1 starts like this: google-research/t5x, examples/t5/network.py, `logits_dense`.
            head, config = changed.get_output_embeddings(), changed.config
            drawn = torch.empty_like(head.weight).normal_(generator=torch.Generator().manual_seed(0))
            head.weight = nn.Parameter(drawn * config.initializer_factor * config.d_model**-0.5)
            config.tie_word_embeddings = False
            changed.all_tied_weights_keys.pop("lm_head.weight", None)
        if self.rows is not None:
            changed.resize_token_embeddings(self.rows, mean_resizing=False)
        changed.save_pretrained(place)


def rounded(rows: int) -> int:
    """Round a number of rows up to the next multiple."""
    return -(-rows // MULTIPLE) * MULTIPLE


def can_mend(mend: Callable[[Draft], bool], subject: Subject) -> bool:
    """Try a mender on a draft that is thrown away."""
    if subject.model_folder is None and subject.tokenizer_folder is None:
        return False
    try:
        return mend(Draft.of(subject))
    except (LookupError, TypeError, AttributeError, RuntimeError, ValueError):  # odd values of a folder
        return False


def _names(tokenizer: dict[str, Any]) -> list[str]:
    vocabulary = tokenizer["model"]["vocab"]
    return list(vocabulary) if isinstance(vocabulary, dict) else [entry[0] for entry in vocabulary]


def _write(path: Path, facts: dict[str, Any]) -> None:
    path.write_text(json.dumps(facts, indent=2, ensure_ascii=False), "utf-8")
