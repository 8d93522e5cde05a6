"""Which dtype Hornbook's own functions compute in, for inputs of any dtype, with autocast on or off."""

from contextlib import AbstractContextManager, nullcontext
from functools import reduce

import torch
from torch import Tensor


def product_dtype(*factors: Tensor) -> torch.dtype:
    """Choose the dtype of a product: autocast's if it is on, else the widest dtype of the factors.

    As in PyTorch, autocast leaves fp64 alone. PyTorch refuses factors of different dtypes; here they are widened.
    """
    widest = reduce(torch.promote_types, (factor.dtype for factor in factors))
    kind = factors[0].device.type
    if widest != torch.float64 and _autocasts(kind):
        return torch.get_autocast_dtype(kind)
    return widest


def sum_dtype(dtype: torch.dtype) -> torch.dtype:
    """Choose the dtype of long sums and of a softmax of such numbers: at least fp32."""
    return torch.promote_types(dtype, torch.float32)


def without_autocast(kind: str) -> AbstractContextManager[object]:
    """Switch autocast off on a kind of device, for code that chooses its dtypes itself.

    Backward functions need this: a gradient may be computed while autocast is on, even if it was off in the forward
    pass.
    """
    return torch.autocast(kind, enabled=False) if _autocasts(kind) else nullcontext()


def _autocasts(kind: str) -> bool:
    """Tell whether autocast is on; a device such as meta, which only has shapes, has no autocast."""
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
