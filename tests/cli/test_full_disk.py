"""A disk that fills up costs the file that was being written, and nothing else."""

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hornbook.atomic import beside
from hornbook.errors import HornbookError
from hornbook.recipe import read_recipe
from hornbook.report import read_run, write_page
from hornbook.reporter import Reporter
from hornbook.store import build
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, train
from hornbook.training.checkpoints import find_checkpoint
from hornbook.training.train import start
from tests.disks import own_disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB."""
    with own_disk(tmp_path / "disk", "3m") as place:
        yield place


def fill(place: Path, spare: int) -> None:
    status = os.statvfs(place)
    (place / "ballast").write_bytes(b"\0" * max(0, status.f_bavail * status.f_bsize - spare))


@pytest.mark.long
def test_checkpoint_and_store(small_disk: Path, tmp_path: Path, story_file: Path) -> None:
    recipe = {
        "name": "mine",
        "out": str(small_disk / "mine"),
        "cache": str(tmp_path / "cache"),
        "corpus": {"path": str(story_file), "documents": "line"},
        "tokenizer": {"vocab_size": 500},
        "model": {"preset": "tinystories-1m", "length": 32, "config": {"num_layers": 1}},
        "objective": "causal",
        "training": {"steps": 4, "batch": 4, "checkpoint_every": 2, "trackers": []},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe))
    loop = start(read_recipe(path), Reporter(silent=True))
    save = loop._save

    def save_then_fill() -> None:
        save()
        if not (small_disk / "ballast").exists():
            fill(small_disk, spare=300_000)

    loop._save = save_then_fill  # type: ignore[method-assign]
    with pytest.raises(HornbookError, match="the disk is full"):
        loop.train()
    found = find_checkpoint(small_disk / "mine" / "checkpoints", pytest.fail)
    assert found is not None and found.progress.step == 2
    assert [entry.name for entry in (small_disk / "mine" / "checkpoints").iterdir()] == ["step-00000002"]

    (small_disk / "ballast").unlink()
    start(read_recipe(path), Reporter(silent=True)).train()
    assert (small_disk / "mine" / "model" / "model.safetensors").exists()

    fill(small_disk, spare=20_000)
    with pytest.raises(HornbookError, match="the disk is full"):
        start(
            read_recipe(path, [f"cache={small_disk / 'cache'}", f"out={tmp_path / 'other'}"]),
            Reporter(silent=True),
        )
    assert not list((small_disk / "cache").glob("tokens/*"))


def test_page(small_disk: Path, tmp_path: Path) -> None:
    """At several sizes, since a file may be cut off in its first byte or its last."""
    shutil.copy(Path(__file__).parents[1] / "loading" / "run.json", tmp_path)
    whole = len(write_page([read_run(tmp_path)], tmp_path / "whole.html").read_bytes())
    draw = random.Random(0)
    for spare in (0, whole - 4096, *(draw.randrange(whole) for _ in range(8))):
        fill(small_disk, spare)
        with pytest.raises(HornbookError, match="the disk is full"):
            write_page([read_run(tmp_path)], small_disk / "page.html")
        assert [path.name for path in small_disk.iterdir()] == ["ballast"]
        (small_disk / "ballast").unlink()
    assert write_page([read_run(tmp_path)], small_disk / "page.html").exists()


def test_tokenizer_and_store_at_several_sizes(small_disk: Path, tmp_path: Path, story_file: Path) -> None:
    """Nothing of a half-written tokenizer or store is left, and with room the same call makes both."""
    options = TokenizerOptions(kind="bpe", vocab_size=500)
    documents = story_file.read_text("utf-8").splitlines()
    tokenizer = build_fast_tokenizer(
        train(documents, options, STYLES["shared"], 0), "causal", 32, STYLES["shared"]
    )

    def write(place: Path) -> Path:
        with beside(place / "tokenizer") as new:
            tokenizer.save_pretrained(new)
        build(place / "tokens", documents, tokenizer, tokenizer.eos_token_id)
        return place

    (tmp_path / "whole").mkdir()
    whole = sum(path.stat().st_size for path in write(tmp_path / "whole").rglob("*") if path.is_file())
    draw = random.Random(0)
    for spare in (0, *(draw.randrange(whole * 3 // 4) for _ in range(8))):
        fill(small_disk, spare)
        with pytest.raises(HornbookError, match="the disk is full"):
            write(small_disk)
        assert {path.name for path in small_disk.iterdir()} <= {"ballast", "tokenizer"}
        for path in small_disk.iterdir():
            path.unlink() if path.is_file() else shutil.rmtree(path)
    write(small_disk)
