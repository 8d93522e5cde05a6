"""Phase 1 on a corpus: take windows, score proposals, keep the best, and measure how much of the gain is real."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from hornbook.corpora import Corpus
from hornbook.dense_tokens.given import Stream
from hornbook.dense_tokens.insert import Ints
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.select import Scored, SelectOptions, keep, score
from hornbook.dense_tokens.selection import Selection
from hornbook.errors import HornbookError
from hornbook.reporter import LOGGER
from hornbook.store import Plan, TokenStore, Windows, build
from hornbook.tokenizers import Rule, advise, describe_literals, tokenizer_hash

_OPTIONS = {
    "corpus.documents=": "--documents ",
    "corpus.heldout_fraction": "a share of",
    "change the fraction or ": "or ",
    "corpus.heldout": "--heldout",
    "corpus.path": "the text",
}


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
    judged: bool = True,
) -> Selection:
    """Score proposals for `windows` windows of `length` tokens, and keep the best by `options`.

    Dense tokens that are written out in the corpus stay where they are, in every proposal, and by default none are
    proposed beside them. The selection also holds up to `heldout_windows` held-out windows, for measuring trainings.
    Token stores are kept in the folder `cache`. How much of the gain is real costs as much as the choice, and is left
    out unless it is to be `judged`. Raises HornbookError for a tokenizer without an end token and for a
    corpus that is too short.
    """
    stores = {part: _store(tokenizer, corpus, part, cache) for part in ("train", "heldout")}
    streams = {part: Stream.of(store, model.dense_id) for part, store in stores.items()}
    for part, stream in streams.items():
        if len(stream.words) < length:
            raise HornbookError(
                f"{corpus.describe()}: its {part} part has {len(stream.words):,} tokens, and a window takes "
                f"{length:,}: give a longer text, or a smaller --length"
            )
    words, own = _windows(streams["train"], windows, length, seed)
    heldout, heldout_own = _windows(streams["heldout"], heldout_windows, length, seed)
    stand = int((own < length).sum())
    options = options.beside(stand)
    _tell(stores, tokenizer, corpus.special_tokens, stand, options)
    real = np.ones(words.shape, bool)
    scored = score(model, words, real, options, seed, own=own, progress=progress)
    kept, proposal = keep(scored, options, seed)
    return Selection(
        words[kept],
        scored.places[kept, proposal],
        heldout,
        _bytes_per_word(stores["heldout"], streams["heldout"], model.options.token),
        {
            "corpus": corpus.describe(),
            "tokenizer": tokenizer_hash(tokenizer),
            "seed": seed,
            "options": options.model_dump(),
            "gains": _bias(model, words, own, scored, kept, proposal, options, seed) if judged else None,
        },
        heldout_own if heldout_own.size else None,
    )


def _bias(
    model: DenseModel,
    words: Ints,
    own: Ints,
    scored: Scored,
    kept: Ints,
    proposal: Ints,
    options: SelectOptions,
    seed: int,
) -> dict[str, Any]:
    """Measure how much of the gain is real, in nats a word: the best of many noisy scores always looks good."""
    by_chance, first = keep(scored, _keeping(options, "chance"), seed)
    real = np.ones((len(kept), words.shape[1]), bool)
    fresh = score(model, words[kept], real, options, seed, "fresh", rows=kept, own=own[kept])
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


def _tell(
    stores: Mapping[str, TokenStore],
    tokenizer: PreTrainedTokenizerBase,
    special: Rule,
    stand: int,
    options: SelectOptions,
) -> None:
    """Say which special tokens are written out in the corpus, and what became of its own dense tokens."""
    literals = sum((Counter(store.literals) for store in stores.values()), Counter[str]())
    told, as_text = describe_literals(literals, tokenizer, special)
    if as_text:
        advice = advise(as_text, tokenizer, "--special-tokens special", "--documents separator")
        LOGGER.warning(f"{told}; {advice}")
    elif told:
        LOGGER.info(told)
    if stand:
        more = (
            f"{options.count} more are proposed in each text" if options.count else "no others are proposed"
        )
        LOGGER.info(f"the texts have {stand:,} dense tokens of their own, which stay; {more} (--count)")


def _bytes_per_word(store: TokenStore, stream: Stream, token: str) -> float:
    """Average over a text's tokens, without its dense tokens."""
    dense = len(store.tokens) - len(stream.words)
    return (store.counts()["bytes"] - dense * len(token.encode())) / len(stream.words)


def _store(tokenizer: PreTrainedTokenizerBase, corpus: Corpus, part: Any, cache: Path) -> TokenStore:
    end = tokenizer.eos_token_id
    if end is None:
        raise HornbookError(
            "the tokenizer declares no end token, which separates documents: declare it in tokenizer_config.json"
        )
    with in_options():
        # Older versions kept the pieces of a dense token's text under the fingerprint alone.
        folder = cache / f"{corpus.fingerprint()[:12]}-{tokenizer_hash(tokenizer)[:12]}-{part}-with-dense"
        if folder.exists():
            return TokenStore.open(folder, tokenizer)
        return build(folder, corpus.documents_of(part), tokenizer, int(end), special=corpus.special_tokens)


@contextmanager
def in_options() -> Iterator[None]:
    """Advise a command's options instead of a recipe's keys, of which a command has no file."""
    try:
        yield
    except HornbookError as error:
        told = str(error)
        for key, option in _OPTIONS.items():
            told = told.replace(key, option)
        raise HornbookError(told) from error


def _windows(stream: Stream, windows: int, length: int, seed: int) -> tuple[Ints, Ints]:
    """Take the first `windows` windows in the plan's order, or all if there are fewer, and their own dense tokens."""
    cuts = Windows(len(stream.words), length)
    plan = Plan(cuts, max(1, min(windows, cuts.count)), seed)
    return stream.windows(plan.starts(0), length)
