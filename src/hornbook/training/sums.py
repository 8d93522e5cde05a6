"""What the processes of a run add up, or agree on, in each step."""

import torch
from accelerate import Accelerator
from torch import Tensor, distributed


def sum_over(accelerator: Accelerator, values: Tensor) -> Tensor:
    """Sum numbers over all processes, in fp64."""
    values = values.double()
    if accelerator.num_processes == 1:
        return values
    return accelerator.reduce(values.to(accelerator.device), "sum").cpu()


def any_signal(accelerator: Accelerator, received: int) -> int:
    """Return the signal that any process received, or 0, so that all stop after the same step with one code."""
    if accelerator.num_processes == 1:
        return received
    number = torch.tensor(received, device=accelerator.device)
    distributed.all_reduce(number, distributed.ReduceOp.MAX)
    return int(number)
