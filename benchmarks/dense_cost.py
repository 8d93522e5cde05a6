"""What dense tokens cost: training in rounds against plain steps, and writing them against writing words.

    python benchmarks/dense_cost.py

Seconds of processor time, and the ratio to the plain one of the same repetition: medians over interleaved repetitions
with their quartiles, since a machine is seldom quiet. All sequences have the same number of places, so that "plain"
costs what the same model costs on as many words.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from hornbook.dense_tokens import DenseModel, Layout
from hornbook.dense_tokens.generate import Writing, write
from hornbook.dense_tokens.loss import losses


def make(width: int, layers: int, vocabulary: int, positions: int) -> DenseModel:
    config = GPTNeoXConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        intermediate_size=4 * width,
        max_position_embeddings=positions,
        bos_token_id=None,
        eos_token_id=None,
    )
    torch.manual_seed(0)
    return DenseModel(GPTNeoXForCausalLM(config), vocabulary - 1)


def seconds(task: Callable[[], object]) -> float:
    began = time.process_time()
    task()
    return time.process_time() - began


def train(model: DenseModel, ids: torch.Tensor, layout: Layout, rounds: int | None) -> None:
    model.zero_grad(set_to_none=True)
    losses(model(ids, layout, rounds), ids, layout, model.dense_id).words.sum().backward()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--width", type=int, default=256)
    given = parser.parse_args()
    model = make(given.width, 4, 8192, 256)
    words = torch.randint(0, 8000, (8, 128), generator=torch.Generator().manual_seed(0))
    dense = words.clone()
    dense[:, 7::8] = model.dense_id
    plain, filled = model.layout(words), model.layout(dense)
    tasks: dict[str, Callable[[], object]] = {
        "train, plain": lambda: train(model, words, plain, 0),
        "train, 1 round": lambda: train(model, dense, filled, 1),
        "train, 2 rounds": lambda: train(model, dense, filled, 2),
        "train, one by one": lambda: train(model, dense, filled, None),
    }
    for think in ("never", "every"):
        # As many steps either way: 64 words, or 32 words with a dense token after each.
        tokens, budget = (64, 0) if think == "never" else (32, 32)
        options = Writing(tokens=tokens, think=think, every=1, budget=budget, temperature=0)
        tasks[f"write, {'words' if think == 'never' else 'half of them dense'}"] = lambda options=options: (
            write(model.eval(), [[1, 2, 3]] * 4, None, [], options)
        )
    found: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(given.repetitions + 1):
        for name, task in tasks.items():
            found[name].append(seconds(task))
    for name, times in found.items():
        plain = found["train, plain" if name.startswith("train") else "write, words"]
        ratios = [mine / other for mine, other in zip(times[1:], plain[1:], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(
            f"{name:28} {1000 * statistics.median(times[1:]):8.1f} ms   {middle:5.2f} times the plain one "
            f"[{low:.2f}, {high:.2f}]"
        )


if __name__ == "__main__":
    main()
