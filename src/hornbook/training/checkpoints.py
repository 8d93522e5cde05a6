"""Checkpoints: a Hugging Face folder with the optimizer's state, and a manifest by which damage is found."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from hornbook.atomic import beside
from hornbook.errors import Damaged
from hornbook.sealed import find_damage, newest_first, write_manifest

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
        write_manifest(new)
    for old in newest_first(folder)[keep:]:
        shutil.rmtree(old)
    return path


def find_checkpoint(folder: Path, warn: Callable[[str], None]) -> Checkpoint | None:
    """Find the newest undamaged checkpoint; `warn` is called with what is wrong with newer ones.

    Returns None if there is no checkpoint. Raises HornbookError if all are damaged, since starting anew would throw the
    run away.
    """
    candidates = newest_first(folder)
    for path in candidates:
        problem = find_damage(path)
        if problem is None:
            return Checkpoint(path, Progress(**json.loads((path / _PROGRESS).read_text("utf-8"))))
        warn(f"{path}: {problem}; going back to the checkpoint before it")
    if candidates:
        raise Damaged(
            f"{folder}: none of the {len(candidates)} checkpoints is whole: delete this folder to begin anew"
        )
    return None
