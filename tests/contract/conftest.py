"""Small healthy folders of every family, and copies of them in which one thing is made wrong."""

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any, NamedTuple

import pytest
from transformers import PretrainedConfig, PreTrainedTokenizerFast
from transformers.utils import logging

from hornbook.families import Family, Head, find
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, train

LENGTH = 64

Folders = Callable[[str], Path]
Edit = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def quiet() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()


@pytest.fixture(scope="session")
def trained() -> Callable[[str, str, int], Any]:
    """Train a tokenizer of a style and kind, with sentinels, once."""
    corpus = [topics[name] for name in sorted(topics)[:12]]

    @cache
    def one(style: str, kind: str, sentinels: int) -> Any:
        options = TokenizerOptions(kind=kind, vocab_size=800)
        return train(corpus, options, STYLES[style], sentinels)

    return one


class Ready(NamedTuple):
    """A shrunken preset with the tokenizer that fits it."""

    family: Family
    head: Head
    tokenizer: PreTrainedTokenizerFast
    config: PretrainedConfig
    length: int


@pytest.fixture(scope="session")
def ready(trained: Any) -> Callable[[str], Ready]:
    """Make a shrunken preset's config and tokenizer, as Hornbook makes them."""

    def one(preset: str) -> Ready:
        family = find(preset)
        head = next(iter(family.heads))
        bare = trained(family.style, family.kind, 20 * (head == "seq2seq"))
        tokenizer = build_fast_tokenizer(bare, head, LENGTH, STYLES[family.style])
        return Ready(
            family, head, tokenizer, family.configure(preset, tokenizer, LENGTH, family.tiny), LENGTH
        )

    return one


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory, ready: Callable[[str], Ready]) -> Folders:
    """Give the folder of a shrunken preset, made as Hornbook makes one."""

    @cache
    def one(preset: str) -> Path:
        made = ready(preset)
        folder = tmp_path_factory.mktemp("healthy") / preset
        made.family.build(made.config, made.head, 0).save_pretrained(folder)
        made.tokenizer.save_pretrained(folder)
        return folder

    return one


@pytest.fixture
def sick(healthy: Folders, tmp_path: Path) -> Edit:
    """Give a copy of a healthy folder, in which JSON is changed: `sick("bert-tiny", config={"pad_token_id": 3})`."""

    def make(preset: str, weights: bool = False, **files: Any) -> Path:
        folder = tmp_path / "sick"
        shutil.copytree(healthy(preset), folder, dirs_exist_ok=True)
        if not weights:
            (folder / "model.safetensors").unlink()
        for name, changes in files.items():
            edit(folder / f"{name}.json", changes)
        return folder

    return make


def edit(path: Path, changes: Any) -> None:
    facts = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if callable(changes):
        changes(facts)
    else:
        facts |= changes
    path.write_text(json.dumps(facts, ensure_ascii=False), "utf-8")
