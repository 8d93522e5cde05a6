"""Checkpoints: a Hugging Face folder with the optimizer's state, and a manifest by which damage is found."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from hornbook.atomic import beside
from hornbook.errors import HornbookError

_MANIFEST = "manifest.json"
_OPTIMIZER = "optimizer.safetensors"
_PROGRESS = "progress.json"


@dataclass(frozen=True)
class Progress:
    """How far a run is. A resumed run needs this, the recipe, the weights and the optimizer's state, and no more."""

    step: int = 0
    """Steps done."""
    tokens: int = 0
    """Input tokens seen, over all processes."""
    seconds: float = 0.0
    """Seconds of training, without evaluation and saving."""


@dataclass(frozen=True)
class Checkpoint:
    """An undamaged checkpoint."""

    folder: Path
    progress: Progress

    def optimizer(self) -> dict[str, Tensor]:
        """Read the optimizer's state, as `optimizer_state` named it."""
        return load_file(self.folder / _OPTIMIZER)


def save_checkpoint(
    folder: Path,
    progress: Progress,
    save_model: Callable[[Path], None],
    optimizer: dict[str, Tensor],
    keep: int,
) -> Path:
    """Write `folder`/step-N under another name, rename it, then delete all but the newest `keep` checkpoints.

    Raises HornbookError when the disk is full; the earlier checkpoints are then untouched.
    """
    path = folder / f"step-{progress.step:08d}"
    with beside(path, folder=True) as new:
        save_model(new)
        save_file(optimizer, new / _OPTIMIZER)
        (new / _PROGRESS).write_text(json.dumps(asdict(progress), indent=2), "utf-8")
        (new / _MANIFEST).write_text(json.dumps(_describe(new), indent=2), "utf-8")
    for old in _newest_first(folder)[keep:]:
        shutil.rmtree(old)
    return path


def find_checkpoint(folder: Path, warn: Callable[[str], None]) -> Checkpoint | None:
    """Find the newest undamaged checkpoint; `warn` is called with what is wrong with newer ones.

    Returns None if there is no checkpoint. Raises HornbookError if all are damaged, since starting anew would throw the
    run away.
    """
    candidates = _newest_first(folder)
    for path in candidates:
        problem = find_damage(path)
        if problem is None:
            return Checkpoint(path, Progress(**json.loads((path / _PROGRESS).read_text("utf-8"))))
        warn(f"{path}: {problem}; going back to the checkpoint before it")
    if candidates:
        raise HornbookError(
            f"{folder}: none of the {len(candidates)} checkpoints is whole: delete the folder to start anew"
        )
    return None


def find_damage(path: Path) -> str | None:
    """Compare a checkpoint with its manifest; say what is missing, cut off or altered, or return None."""
    try:
        manifest = json.loads((path / _MANIFEST).read_text("utf-8"))
        expected = {name: (facts["bytes"], facts["sha256"]) for name, facts in manifest["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{_MANIFEST} can't be read ({error})"
    for name, (size, digest) in expected.items():
        file = path / name
        if not file.is_file():
            return f"{name} is missing"
        if file.stat().st_size != size:
            return f"{name} is torn: it has {file.stat().st_size:,} bytes, the manifest says {size:,}"
        if _digest(file) != digest:
            return f"{name} was altered: its SHA-256 is {_digest(file)[:12]}, the manifest says {digest[:12]}"
    return None


def _describe(folder: Path) -> dict[str, dict[str, dict[str, int | str]]]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {
        "files": {
            file.relative_to(folder).as_posix(): {"bytes": file.stat().st_size, "sha256": _digest(file)}
            for file in files
        }
    }


def _digest(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"), reverse=True)
