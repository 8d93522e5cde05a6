"""Dropout (Srivastava et al., 2014) on a CPU, with random numbers that take little time."""

import numpy as np
import torch
from torch import Tensor, nn

from hornbook.machine import own_kernels

_VALUES = 2**16


def draw_signs(like: Tensor, negative: float) -> Tensor:
    """Draw numbers in the shape and dtype of `like`; a share `negative` is negative, and all are at least 0.5 from 0.

    The share is exact to within 2**-17. Each number is made from 16 bits of a generator (SFC64) that PyTorch's own
    generator seeds, so `torch.manual_seed` decides the numbers. PyTorch's `bernoulli_` takes 5 to 15 times as long,
    which is much of a small model's step.
    """
    seed = int(torch.randint(2**62, ()))
    raw = np.random.SFC64(seed).random_raw(-(-like.numel() // 4))
    bits = torch.from_numpy(raw.view(np.int16))[: like.numel()].view(like.shape)
    return bits.to(torch.float32).add_(_VALUES / 2 - round(negative * _VALUES) + 0.5).to(like.dtype)


class Dropout(nn.Dropout):
    """PyTorch's module, with other random numbers on a CPU."""

    def forward(self, input: Tensor) -> Tensor:
        """Set a share p to zero and divide the rest by 1 - p; any shape."""
        if not (self.training and 0 < self.p < 1 and own_kernels(input.device)):
            return super().forward(input)
        # Each number is at least 0.5 from 0. Times 2 * scale, it is at least `scale` from 0, and is clamped.
        scale = 1 / (1 - self.p)
        return input * draw_signs(input, self.p).mul_(2 * scale).clamp_(0, scale)
