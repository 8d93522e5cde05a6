"""Dropout (Srivastava et al., 2014) on a processor, without waiting for its random numbers."""

import numpy as np
import torch
from torch import Tensor, nn

from hornbook.machine import own_kernels

_VALUES = 2**16


def draw_signs(like: Tensor, negative: float) -> Tensor:
    """Draw numbers in the shape and format of `like`, each at least 0.5 from 0, a share `negative` of them below.

    The share is met to within 2**-17. They come from 16 bits each of a generator (SFC64) that PyTorch's own seeds, so
    `torch.manual_seed` decides them. PyTorch's `bernoulli_` takes 5 to 15 times as long, and much of a small model's
    step.
    """
    seed = int(torch.randint(2**62, ()))
    raw = np.random.SFC64(seed).random_raw(-(-like.numel() // 4))
    bits = torch.from_numpy(raw.view(np.int16))[: like.numel()].view(like.shape)
    return bits.to(torch.float32).add_(_VALUES / 2 - round(negative * _VALUES) + 0.5).to(like.dtype)


class Dropout(nn.Dropout):
    """PyTorch's module, with other random numbers on a processor."""

    def forward(self, input: Tensor) -> Tensor:
        """Set a share p to zero and divide the rest by 1 - p; any shape."""
        if not (self.training and 0 < self.p < 1 and own_kernels(input.device)):
            return super().forward(input)
        # At least 0.5 from 0, so that four times it is beyond either bound for any p up to 0.5.
        scale = 1 / (1 - self.p)
        return input * draw_signs(input, self.p).mul_(2 * scale).clamp_(0, scale)
