"""How many minimal pairs a second are scored, beside a plain script that asks for one sentence at a time.

    python -m benchmarks.minimal_pairs FOLDER --data TASKS --threads 2

FOLDER is a model's or a run's, TASKS holds blimp/*.jsonl. A third contender computes batches one by one, each with all
threads, where Hornbook gives each thread a batch of its own. They take turns, `--rounds` of them, and the ratio is that
of a round. `products` is what matrix products of the model's width reach in between: where it is low, the machine had
other work. Seconds of the processor matter where the machine isn't quiet, those of the clock where it is.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from hornbook.evaluation.minimal_pairs import (
    SUITES,
    Paradigm,
    left_to_right,
    masked,
    measure_pairs,
    read_suite,
    text_to_text,
)
from hornbook.loading import LoadedModel, load_model
from hornbook.quiet import quieten_transformers
from hornbook.training.heap import keep_heap

WHOLE = 67_000


def plain(loaded: LoadedModel, paradigms: Sequence[Paradigm]) -> float:
    """Score as a script of thirty lines does, with Hugging Face's class; give the share of right pairs."""
    causal = loaded.serves(head="causal")
    model = (AutoModelForCausalLM if causal else AutoModelForMaskedLM).from_pretrained(loaded.folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(loaded.folder)
    right = count = 0
    for paradigm in paradigms:
        for pair in paradigm.pairs:
            good, bad = (_likelihood(model, tokenizer, half.text, causal) for half in (pair.good, pair.bad))
            right, count = right + (good > bad), count + 1
    return 100 * right / count


@torch.inference_mode()
def _likelihood(model: torch.nn.Module, tokenizer: object, text: str, causal: bool) -> float:
    if causal:
        ids = torch.tensor([[tokenizer.eos_token_id, *tokenizer(text)["input_ids"]]])
        logs = model(ids).logits[0, :-1].log_softmax(-1)
        return float(logs.gather(1, ids[0, 1:, None]).sum())
    ids = torch.tensor(tokenizer(text)["input_ids"])
    places = torch.arange(1, len(ids) - 1)
    hidden = ids.repeat(len(places), 1)
    hidden[torch.arange(len(places)), places] = tokenizer.mask_token_id
    logs = model(hidden).logits[torch.arange(len(places)), places].log_softmax(-1)
    return float(logs.gather(1, ids[places, None]).sum())


@contextmanager
def one_by_one() -> Iterator[None]:
    """Let batches be computed one after the other, by all threads."""
    rules = (left_to_right, masked, text_to_text)
    before = [rule.side_by_side for rule in rules]
    for rule in rules:
        rule.side_by_side = lambda work, batches, device: map(torch.inference_mode()(work), batches)
    try:
        yield
    finally:
        for rule, own in zip(rules, before, strict=True):
            rule.side_by_side = own


@dataclass(frozen=True)
class Turn:
    """What one turn took, in pairs a second of the clock and of a core's processor time."""

    right: float
    clock: float
    processor: float


def timed(work: Callable[[], float], pairs: int) -> Turn:
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    return Turn(found, pairs / (time.perf_counter() - clock), pairs / (time.process_time() - processor))


def products(width: int) -> float:
    """Measure matrix products of (1024, width) and (width, 4 width), in GFLOP a second of the clock."""
    one, other = torch.randn(1024, width), torch.randn(width, 4 * width)
    torch.mm(one, other)
    began = time.perf_counter()
    for _ in range(200):
        torch.mm(one, other)
    return 200 * 2 * 1024 * width * 4 * width / (time.perf_counter() - began) / 1e9


def spread(values: Sequence[float], digits: int = 0) -> str:
    low, middle, high = quantiles(values, n=4) if len(values) > 1 else values * 3
    return f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--plain-limit", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    quieten_transformers()
    keep_heap()
    torch.set_num_threads(given.threads)
    loaded = load_model(given.folder)
    rules = [None] if loaded.serves(head="causal") else ["pseudo-likelihood", "within-word"]

    def score(asked: Sequence[Paradigm], rule: str | None) -> float:
        return float(measure_pairs(loaded, "BLiMP", asked, rule).figures[0]["value"])

    def score_one_by_one(asked: Sequence[Paradigm], rule: str | None) -> float:
        with one_by_one():
            return score(asked, rule)

    work = {
        f"hornbook {rule or ''}".rstrip() + how: (
            given.limit,
            lambda asked, rule=rule, ask=ask: ask(asked, rule),
        )
        for rule in rules
        for how, ask in (("", score), (", batches one by one", score_one_by_one))
        if given.threads > 1 or ask is score
    }
    work["plain script"] = (given.plain_limit, lambda asked: plain(loaded, asked))
    paradigms = {limit: read_suite(SUITES["blimp"], given.data, limit) for limit, _ in work.values()}
    turns: dict[str, list[Turn]] = {name: [] for name in work}
    speed = []
    for _ in range(given.rounds):
        for name, (limit, ask) in work.items():
            asked = paradigms[limit]
            turns[name].append(timed(lambda: ask(asked), sum(len(one.pairs) for one in asked)))  # noqa: B023
            speed.append(products(loaded.model.config.hidden_size))
    print(f"{given.threads} threads, {given.rounds} rounds; products: {spread(speed)} GFLOP/s")
    for name, found in turns.items():
        clock = [one.clock for one in found]
        ratios = [one.clock / other.clock for one, other in zip(found, turns["plain script"], strict=True)]
        print(
            f"{name}: {spread(clock)} pairs a second, {spread([one.processor for one in found])} of a core's; "
            f"{WHOLE:,} in {WHOLE / median(clock):,.0f} s; x plain {spread(ratios, 1)}; {found[0].right:.1f} % right"
        )


if __name__ == "__main__":
    main()
