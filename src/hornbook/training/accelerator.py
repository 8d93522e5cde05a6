"""The devices and processes of a run, through Accelerate."""

from typing import Any

from accelerate import Accelerator
from accelerate.utils import ProjectConfiguration

from hornbook.errors import HornbookError, nearest
from hornbook.internals import read
from hornbook.machine import choose_device
from hornbook.recipe import Recipe
from hornbook.registry import Registry

_TRACKERS = read("accelerate.tracking:LOGGER_TYPE_TO_CLASS")
_GeneralTracker = read("accelerate.tracking:GeneralTracker")
_get_available_trackers = read("accelerate.tracking:get_available_trackers")


def _accept(name: str, found: Any) -> type:
    if not (isinstance(found, type) and issubclass(found, _GeneralTracker)):
        raise HornbookError(f"the tracker {name} is {found!r}, and has to be a subclass of GeneralTracker")
    return found


TRACKERS: Registry[type] = Registry("hornbook.trackers", "tracker", _accept, may_be_empty=True)
"""Trackers that other packages register; each is made with a run's name and a folder where it may write."""


def make_accelerator(recipe: Recipe) -> Accelerator:
    """Make the accelerator for the joined processes (`processes.join`), or for one, on the device of `choose_device`.

    Raises HornbookError for a tracker that isn't known or installed, for more processes than sequences in a step, and
    where Accelerate was told to use another kind of device.
    """
    installed, known = [str(one) for one in _get_available_trackers()], [*_TRACKERS, *TRACKERS]
    for tracker in recipe.training.trackers:
        if tracker in TRACKERS:
            continue
        if tracker not in known:
            raise HornbookError(f"training.trackers: there is no {tracker!r}{nearest(tracker, known)}")
        if tracker not in installed:
            raise HornbookError(f"training.trackers: {tracker} isn't installed: pip install {tracker}")
    # LossModule does its own autocast, and the loop accumulates gradients itself.
    folder = str(recipe.folder)
    device = choose_device()
    accelerator = Accelerator(
        cpu=device.chosen == "cpu",
        mixed_precision="no",
        log_with=_trackers(recipe, f"{folder}/trackers") or None,
        project_config=ProjectConfiguration(project_dir=folder, logging_dir=f"{folder}/trackers"),
    )
    if accelerator.device.type != device.chosen:
        raise HornbookError(
            f"the device is {device.chosen} ({device.why}), but Accelerate was told to use {accelerator.device.type}: "
            f"set HORNBOOK_DEVICE to auto, or launch the processes for {device.chosen}"
        )
    micro_batches = accelerator.num_processes * recipe.training.accumulate
    smallest = min(phase.batch for phase in recipe.phases)
    if smallest < micro_batches:
        raise HornbookError(
            f"a step has {smallest} sequences, but {accelerator.num_processes} processes with training.accumulate "
            f"{recipe.training.accumulate} need at least {micro_batches}: make the batch larger, or accumulate smaller"
        )
    return accelerator


def _trackers(recipe: Recipe, folder: str) -> list[Any]:
    """Name Accelerate's own trackers, and make the others."""
    return [
        TRACKERS[name](recipe.name, folder) if name in TRACKERS else name for name in recipe.training.trackers
    ]
