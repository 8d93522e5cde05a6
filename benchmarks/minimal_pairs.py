"""How many minimal pairs a second are scored, beside a plain script that asks for one sentence at a time.

    python -m benchmarks.minimal_pairs FOLDER --data TASKS --limit 50

FOLDER is a model's or a run's, TASKS holds blimp/*.jsonl. Seconds are of the processor, so that other load matters
less; `--threads` says on how many cores.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from hornbook.evaluation.minimal_pairs import SUITES, Paradigm, measure_pairs, read_suite
from hornbook.loading import LoadedModel, load_model
from hornbook.quiet import quieten_transformers

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


def timed(work: Callable[[], float]) -> tuple[float, float]:
    began = time.process_time()
    return work(), time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--plain-limit", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    quieten_transformers()
    torch.set_num_threads(given.threads)
    loaded = load_model(given.folder)
    rules = [None] if loaded.serves(head="causal") else ["pseudo-likelihood", "within-word"]
    for name, limit, rule in [
        ("plain script", given.plain_limit, ""),
        *(("hornbook", given.limit, r) for r in rules),
    ]:
        paradigms = read_suite(SUITES["blimp"], given.data, limit)
        pairs = sum(len(one.pairs) for one in paradigms)
        if name == "hornbook":
            work = lambda: measure_pairs(loaded, "BLiMP", paradigms, rule).figures[0]["value"]  # noqa: B023, E731
        else:
            work = lambda: plain(loaded, paradigms)  # noqa: B023, E731
        found, seconds = timed(work)
        whole = WHOLE * seconds / pairs / given.threads
        print(
            f"{name} {rule or ''}: {pairs / seconds:,.0f} pairs per processor second, {found:.1f} % right; "
            f"{WHOLE:,} would take {whole:,.0f} s on {given.threads} core(s), {whole / 2:,.0f} s on two such"
        )


if __name__ == "__main__":
    main()
