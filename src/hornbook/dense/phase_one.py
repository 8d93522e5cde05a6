"""Phase 1 on a corpus: take windows, score proposals, keep the best, and measure how much of the gain is real."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from hornbook.corpora import Corpus
from hornbook.dense.insert import Ints
from hornbook.dense.model import DenseModel
from hornbook.dense.select import Scored, SelectOptions, keep, score
from hornbook.dense.selection import Selection
from hornbook.errors import HornbookError
from hornbook.store import Plan, TokenStore, Windows, build
from hornbook.tokenizers import tokenizer_hash


def select(
    model: DenseModel,
    tokenizer: PreTrainedTokenizerBase,
    corpus: Corpus,
    cache: Path,
    windows: int,
    heldout_windows: int,
    length: int,
    options: SelectOptions,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Selection:
    """Score proposals for `windows` windows of `length` tokens, and keep the best by `options`.

    The selection also holds up to `heldout_windows` held-out windows, for measuring trainings. Token stores are kept in
    the folder `cache`. Raises HornbookError for a tokenizer without an end token and for a corpus that is too short.
    """
    stores = {part: _store(tokenizer, corpus, part, cache) for part in ("train", "heldout")}
    words = _windows(stores["train"], windows, length, seed)
    heldout = _windows(stores["heldout"], heldout_windows, length, seed)
    real = np.ones(words.shape, bool)
    scored = score(model, words, real, options, seed, progress=progress)
    kept, proposal = keep(scored, options, seed)
    counts = stores["heldout"].counts()
    return Selection(
        words[kept],
        scored.places[kept, proposal],
        heldout,
        counts["bytes"] / counts["tokens"],
        {
            "corpus": corpus.describe(),
            "tokenizer": tokenizer_hash(tokenizer),
            "seed": seed,
            "options": options.model_dump(),
            "gains": _bias(model, words, scored, kept, proposal, options, seed),
        },
    )


def _bias(
    model: DenseModel,
    words: Ints,
    scored: Scored,
    kept: Ints,
    proposal: Ints,
    options: SelectOptions,
    seed: int,
) -> dict[str, Any]:
    """Measure how much of the gain is real, in nats a word: the best of many noisy scores always looks good."""
    by_chance, first = keep(scored, _keeping(options, "chance"), seed)
    fresh = score(
        model, words[kept], np.ones((len(kept), words.shape[1]), bool), options, seed, "fresh", rows=kept
    )
    return {
        "unit": "nats a word after the first dense token, against zero vectors",
        "all proposals": _mean(scored.gains, scored.counted),
        "kept": _mean(scored.gains[kept, proposal], scored.counted[kept, proposal]),
        "kept texts, fresh places": _mean(fresh.gains, fresh.counted),
        "kept by chance": _mean(scored.gains[by_chance, first], scored.counted[by_chance, first]),
        "texts kept": len(kept),
        "texts": len(words),
    }


def _keeping(options: SelectOptions, how: str) -> SelectOptions:
    """Copy the options with another way to keep."""
    return SelectOptions.model_validate(options.model_dump() | {"keep": how})


def _mean(gains: np.ndarray, counted: np.ndarray) -> float:
    return float(gains.sum() / counted.sum())


def _store(tokenizer: PreTrainedTokenizerBase, corpus: Corpus, part: Any, cache: Path) -> TokenStore:
    end = tokenizer.eos_token_id
    if end is None:
        raise HornbookError(
            "the tokenizer declares no end token, which separates documents: declare it in tokenizer_config.json"
        )
    folder = cache / f"{corpus.fingerprint()[:12]}-{tokenizer_hash(tokenizer)[:12]}-{part}"
    if folder.exists():
        return TokenStore.open(folder, tokenizer)
    return build(folder, corpus.documents_of(part), tokenizer, int(end))


def _windows(store: TokenStore, windows: int, length: int, seed: int) -> Ints:
    """Take the first `windows` windows in the plan's order, or all if there are fewer."""
    cuts = Windows(len(store.tokens), length)
    plan = Plan(cuts, max(1, min(windows, cuts.count)), seed)
    return store.windows(plan.starts(0), length)
