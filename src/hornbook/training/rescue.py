"""A log or tracker that can't be written: the last step's weights are saved first, where there is room."""

from collections.abc import Callable
from pathlib import Path

from hornbook.disk import explain
from hornbook.errors import HornbookError


def rescue(
    error: OSError, folder: Path, step: int, saved: int | None, save: Callable[[], None] | None
) -> Exception:
    """Save `step` unless it is the `saved` one, and give the error to raise: what failed, and which step is kept.

    `save` is None where this process has only a part of the model.
    """
    told = explain(error, folder if error.filename is None else None)
    if told is None or not folder.exists():
        return told or error
    if saved != step:
        try:
            if save is None:
                raise HornbookError("parts of the model are in other processes")
            save()
        except HornbookError:
            kept = (
                f"step {saved:,} is kept"
                if saved
                else f"step {step:,} could not be saved, and none was before it"
            )
            return HornbookError(f"{told}; {kept}")
    return HornbookError(f"{told}; step {step:,} is saved")
