"""Compute batches side by side: on a CPU, each thread takes a whole batch."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Batch], Result], batches: Iterable[Batch], device: torch.device
) -> Iterator[Result]:
    """Give `work` of each batch, in order; it runs without gradients, and must change nothing that batches share.

    The operations of a small model are short. Threads that share each of them wait for each other after each, which
    takes a fifth of the time on two cores, and far more beside other programs (`benchmarks/minimal_pairs.py`). So each
    of PyTorch's threads takes a batch of its own. On a GPU, batches are computed one by one.
    """
    threads, alone = torch.get_num_threads() if device.type == "cpu" else 1, torch.inference_mode()(work)
    if threads == 1:
        yield from map(alone, batches)
        return
    pool = ThreadPoolExecutor(threads, "batches", torch.set_num_threads, (1,))
    try:
        yield from pool.map(alone, batches)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # MKL's number is one for the whole process


def by_size(sizes: npt.NDArray[np.int64], tokens: int) -> Iterator[npt.NDArray[np.int64]]:
    """Group rows of similar size, the longest first, in batches of about `tokens` tokens."""
    order = np.argsort(-sizes, kind="stable")
    while len(order):
        rows = max(1, tokens // int(sizes[order[0]]))
        yield order[:rows]
        order = order[rows:]
