"""How long a batch takes to make: Hornbook's collators beside those that people use, by turns.

    python -m benchmarks.collators --rounds 30

Examples are lists of ids, as a data set gives them; both get the same. `DataCollatorForLanguageModeling` is Hugging
Face's, with `special_tokens_mask` among the columns, which spares it a search; for span corruption the other is a port
of the Flax example's, which draws masks text by text. In each round both make some batches, each round beginning with
the other; the ratio is that of a round's times.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

import numpy as np
from transformers import DataCollatorForLanguageModeling

import hornbook
from benchmarks.speed.contenders.t5_collator import T5Collator
from hornbook.testing import make_stories
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, train

BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--batches", type=int, default=5, help="batches in a turn")
    given = parser.parse_args()
    for name, ours, theirs in contests():
        ratios = [compare(ours, theirs, given.batches, number % 2 == 0) for number in range(given.rounds)]
        low, _, high = quantiles([ratio for ratio, _ in ratios], n=4)
        milliseconds = 1e3 * median(own for _, own in ratios)
        print(
            f"{name}: {median(ratio for ratio, _ in ratios):.1f} times as fast "
            f"(quartiles {low:.1f} to {high:.1f}), {milliseconds:.2f} ms a batch"
        )


def contests() -> list[tuple[str, Callable[[], Any], Callable[[], Any]]]:
    found = []
    rng = np.random.default_rng(0)
    for objective, length in (("masked", 128), ("masked", 512), ("causal", 512), ("span_corruption", 512)):
        seq2seq = objective == "span_corruption"
        style = STYLES["t5" if seq2seq else "shared"]
        options = TokenizerOptions.model_validate({"kind": "bpe", "vocab_size": 512})
        rust = train(make_stories(), options, style, 100 if seq2seq else 0)
        tokenizer = build_fast_tokenizer(rust, "seq2seq" if seq2seq else objective, length, style)
        collate = hornbook.collator(objective, tokenizer, length)
        words = collate.vocabulary.words
        rows = [{"input_ids": row} for row in rng.choice(words, (BATCH, collate.window)).tolist()]
        if seq2seq:
            other, theirs = T5Collator(tokenizer, 0.15, 3.0), rows
        else:
            other = DataCollatorForLanguageModeling(tokenizer, mlm=objective == "masked")
            theirs = [framed(row["input_ids"], tokenizer, objective == "masked") for row in rows]
        found.append(
            (
                f"{objective}, {BATCH} x {length}",
                lambda c=collate, r=rows: c(r),
                lambda c=other, r=theirs: c(r),
            )
        )
    return found


def framed(ids: list[int], tokenizer: Any, masked: bool) -> dict[str, list[int]]:
    """Give an example as the other collator wants it: with its special tokens, and where they are."""
    if not masked:
        return {"input_ids": ids}
    marks = [1, *[0] * len(ids), 1]
    return {
        "input_ids": [tokenizer.cls_token_id, *ids, tokenizer.sep_token_id],
        "special_tokens_mask": marks,
    }


def compare(
    ours: Callable[[], Any], theirs: Callable[[], Any], batches: int, first: bool
) -> tuple[float, float]:
    """Time both in one round: how many times as fast ours is, and its seconds for a batch."""
    spent = {}
    for one in (ours, theirs) if first else (theirs, ours):
        began = time.perf_counter()
        for _ in range(batches):
            one()
        spent[one] = time.perf_counter() - began
    return spent[theirs] / spent[ours], spent[ours] / batches


if __name__ == "__main__":
    main()
