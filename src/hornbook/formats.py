"""Number formats: in which one a part of Hornbook's own computes, whatever formats its inputs have."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def product_format(*factors: Tensor) -> torch.dtype:
    """Choose the format of a product: autocast's where it is on, else the widest of the factors'.

    As in PyTorch, autocast leaves fp64 alone. Factors of different formats, which PyTorch refuses, are widened.
    """
    widest = factors[0].dtype
    for factor in factors[1:]:
        widest = torch.promote_types(widest, factor.dtype)
    kind = factors[0].device.type
    if widest != torch.float64 and _autocasts(kind):
        return torch.get_autocast_dtype(kind)
    return widest


def sum_format(number: torch.dtype) -> torch.dtype:
    """Choose the format in which many numbers are added up, or a softmax is taken: fp32 at least."""
    return torch.promote_types(number, torch.float32)


def without_autocast(kind: str) -> AbstractContextManager[object]:
    """Keep autocast off on a kind of device, for what has chosen its formats itself.

    Backward functions need it: PyTorch lets a gradient be asked for while autocast is on, also where it was off in
    the forward pass.
    """
    return torch.autocast(kind, enabled=False) if _autocasts(kind) else nullcontext()


def _autocasts(kind: str) -> bool:
    """Tell whether autocast is on; a device such as meta, which only knows shapes, has none to ask about."""
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
