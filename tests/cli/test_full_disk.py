"""A disk that fills up costs the file that was being written, and nothing else."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hornbook.errors import HornbookError
from hornbook.recipe import read_recipe
from hornbook.report import read_run, write_page
from hornbook.reporter import Reporter
from hornbook.training.checkpoints import find_checkpoint
from hornbook.training.train import start


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("making a small file system needs root and mount")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(place: Path, spare: int) -> None:
    status = os.statvfs(place)
    (place / "ballast").write_bytes(b"\0" * max(0, status.f_bavail * status.f_bsize - spare))


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
    shutil.copy(Path(__file__).parents[1] / "loading" / "run.json", tmp_path)
    fill(small_disk, spare=4_000)
    with pytest.raises(HornbookError, match="the disk is full"):
        write_page([read_run(tmp_path)], small_disk / "page.html")
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]
    (small_disk / "ballast").unlink()
    assert write_page([read_run(tmp_path)], small_disk / "page.html").exists()
