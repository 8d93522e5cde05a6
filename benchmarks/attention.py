"""How much quicker Hornbook's attention is than PyTorch's fused kernel on a CPU, by length and dtype.

    python -m benchmarks.attention --threads 2 --rounds 5

4,096 tokens in texts of each length, 4 heads of 32, causal; forward and backward, and forward alone. The two take
turns; printed are the median of the rounds' ratios (above 1: ours is quicker) and, in brackets, its quartiles.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median, quantiles

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from hornbook.families.attention import _Attention
from hornbook.training.heap import keep_heap

TOKENS, HEADS, WIDTH, REPEATS = 4096, 4, 32, 5


def timed(work: Callable[[], object]) -> float:
    work()
    began = time.perf_counter()
    for _ in range(REPEATS):
        work()
    return (time.perf_counter() - began) / REPEATS


def ratios(length: int, dtype: torch.dtype, learns: bool, rounds: int) -> list[float]:
    """Time both by turns, on the same inputs."""
    shape = (max(1, TOKENS // length), HEADS, length, WIDTH)
    query, key, value = (torch.randn(shape, dtype=dtype, requires_grad=learns) for _ in range(3))
    slope = torch.randn(shape, dtype=dtype)
    causal = torch.ones(length, length, dtype=torch.bool).tril()

    def run(mixed: Tensor) -> None:
        if learns:
            mixed.backward(slope)

    def ours() -> None:
        run(_Attention.apply(query, key, value, None, causal, 0.0, WIDTH**-0.5, dtype))

    def theirs() -> None:
        run(scaled_dot_product_attention(query, key, value, is_causal=True))

    return [timed(theirs) / timed(ours) for _ in range(rounds)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    keep_heap()
    print("| length | fp32 | fp32, forward | bf16 | bf16, forward |\n|---|---|---|---|---|")
    for length in (16, 32, 64, 128, 256, 512, 1024):
        cells = []
        for dtype in (torch.float32, torch.bfloat16):
            for learns in (True, False):
                found = ratios(length, dtype, learns, given.rounds)
                low, _, high = quantiles(found, n=4)
                cells.append(f"{median(found):.1f} ({low:.1f} to {high:.1f})")
        print(f"| {length} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
