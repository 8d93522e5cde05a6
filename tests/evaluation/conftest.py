"""Tiny models of every head, with weights large enough that they have opinions."""

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerBase

from hornbook.families import find
from hornbook.families.positions import Scheme
from hornbook.loading import LoadedModel, load_model
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, train

Make = Callable[..., LoadedModel]

OPINIONS = {"initializer_range": 0.3, "initializer_factor": 2.0}
"""How far new weights are spread, by the names that config classes have for it."""


@pytest.fixture(scope="session")
def make_tokenizer(stories: list[str]) -> Callable[..., PreTrainedTokenizerBase]:
    def make(head: str, length: int, kind: str = "bpe", style: str = "shared") -> PreTrainedTokenizerBase:
        options = TokenizerOptions(kind=kind, vocab_size=420)
        trained = train(stories, options, STYLES[style], 8 if head == "seq2seq" else 0)
        return build_fast_tokenizer(trained, head, length, STYLES[style])

    return make


@pytest.fixture(scope="session")
def save(
    make_tokenizer: Callable[..., PreTrainedTokenizerBase],
) -> Callable[..., Path]:
    """Write a tiny model's folder."""

    def write(
        folder: Path,
        preset: str,
        length: int = 64,
        kind: str = "bpe",
        style: str = "shared",
        positions: Scheme | None = None,
    ) -> Path:
        family = find(preset)
        head = next(iter(family.heads))
        template = "masked" if head == "detection" else head  # a detector reads texts as a masked model does
        tokenizer = make_tokenizer(template, length, kind, style)
        published = family.presets[preset].values
        opinions = {name: spread for name, spread in OPINIONS.items() if name in published}
        config = family.configure(preset, tokenizer, length, family.tiny | opinions, positions)
        family.build(config, head, seed=1).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return write


@pytest.fixture
def make(save: Callable[..., Path], tmp_path: Path) -> Make:
    """Open a tiny model."""

    def loaded(preset: str, length: int = 64, kind: str = "bpe", style: str = "shared") -> LoadedModel:
        return load_model(save(tmp_path / f"{preset}-{kind}", preset, length, kind, style))

    return loaded
