"""A stranger's weights: as many as the configuration asks for, and all of them numbers."""

from collections.abc import Iterable
from math import prod
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from hornbook.errors import HornbookError, one_line

_SPARE = 2**24
"""A model of at most this many parameters and buffer elements is let through, whatever its files hold."""
_BUFFERS = 2**32


def check_room(asked: nn.Module, files: Iterable[Path], where: Path | str) -> None:
    """Refuse a model, built on PyTorch's meta device, of other shapes or far more memory than its files hold.

    A head that the files lack, such as one of a language model on a bare encoder, may double them. Raises HornbookError
    with both numbers, and for a file that isn't safetensors.
    """
    shapes = {name: shape for path in files for name, shape in _shapes(path).items()}
    for name, one in asked.named_parameters():
        if (shape := shapes.get(name, one.shape)) != tuple(one.shape):
            raise HornbookError(
                f"{where}: its weight {name} is {shape} in the file, and config.json asks for {tuple(one.shape)}: put "
                "there the config.json that was saved with the weights"
            )
    held = sum(map(prod, shapes.values()))
    parameters = sum(one.numel() for one in asked.parameters())
    buffers = sum(one.numel() for one in asked.buffers())
    if parameters > 2 * held + _SPARE or buffers > _BUFFERS:
        raise HornbookError(
            f"{where}: config.json asks for {parameters:,} parameters and {buffers:,} numbers beside them, and the "
            f"weights hold {held:,}: copy it again"
        )


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Read the shapes in a file from its head alone."""
    try:
        with safe_open(path, "pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise HornbookError(f"{path}: can't be read as weights ({one_line(error)}): copy it again") from error


def not_finite(model: nn.Module) -> list[str]:
    """Name the weights that hold a NaN or an infinity; no figure of such a model means anything."""
    return [
        name
        for name, one in model.named_parameters()
        if one.is_floating_point() and not torch.isfinite(one.detach().sum(dtype=torch.float64))
    ]


def check_finite(model: nn.Module, where: Path | str) -> None:
    """Raise HornbookError for a model with weights that are no numbers."""
    if bad := not_finite(model):
        raise HornbookError(
            f"{where}: {len(bad)} of its weights hold NaN or infinity, such as {bad[0]}: take an earlier checkpoint, "
            "or copy it again"
        )
