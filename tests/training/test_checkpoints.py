"""A checkpoint is whole, or it is found not to be and the one before it is used."""

import errno
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from hornbook.errors import HornbookError
from hornbook.training import checkpoints
from hornbook.training.checkpoints import Progress, find_checkpoint, save_checkpoint

WEIGHTS = b"the weights" * 1000


def save(folder: Path, step: int, keep: int = 3) -> Path:
    state = {"embedding.weight|exp_avg": torch.full((3, 2), float(step))}
    return save_checkpoint(
        folder, Progress(step, 10 * step, 0.5), lambda path: write(path / "model.safetensors"), state, keep
    )


def write(path: Path) -> None:
    path.write_bytes(WEIGHTS)


def test_what_was_saved_is_found(tmp_path: Path) -> None:
    assert find_checkpoint(tmp_path, pytest.fail) is None
    save(tmp_path, 10)
    save(tmp_path, 200)
    found = find_checkpoint(tmp_path, pytest.fail)
    assert found is not None and found.progress == Progress(200, 2000, 0.5)
    assert found.optimizer()["embedding.weight|exp_avg"].tolist() == [[200.0, 200.0]] * 3


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        save(tmp_path, step, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000003", "step-00000004"]


def tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def alter(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(bytes(raw))


@pytest.mark.parametrize("harm", [tear, alter, Path.unlink])
@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "manifest.json"])
def test_harm_is_found_and_named_and_the_one_before_is_used(tmp_path: Path, harm, name: str) -> None:
    save(tmp_path, 10)
    if name == "manifest.json" and harm is alter:
        pytest.skip("an altered manifest disagrees with a file, which the others show")
    harm(save(tmp_path, 20) / name)
    told: list[str] = []
    found = find_checkpoint(tmp_path, told.append)
    assert found is not None and found.progress.step == 10
    assert len(told) == 1 and name in told[0] and "step-00000020" in told[0]


def test_when_none_is_whole_nothing_is_started_anew(tmp_path: Path) -> None:
    tear(save(tmp_path, 10) / "model.safetensors")
    with pytest.raises(HornbookError, match="none of the 1 checkpoints is whole"):
        find_checkpoint(tmp_path, lambda text: None)


@pytest.mark.parametrize(
    "failure",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    save(tmp_path, 10)

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(checkpoints, "save_file", fail)
    with pytest.raises(HornbookError, match="the disk is full"):
        save(tmp_path, 20, keep=1)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000010"]
    found = find_checkpoint(tmp_path, pytest.fail)
    assert found is not None and found.progress.step == 10
