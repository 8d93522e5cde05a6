"""What was read, in a sentence for people, and what is wrong with it."""

from collections import Counter

import numpy as np

from hornbook.store.tokens import TokenStore


def summarize(train: TokenStore, heldout: TokenStore, unknown: str | None) -> str:
    """Sum up the text of a run: its size, its scripts, unknown tokens, documents that stand there twice.

    `unknown` is the tokenizer's unknown token, if it has one.
    """
    told = [f"{_size(train)} to train on, {_size(heldout)} held out"]
    letters = train.found.get("scripts", {})
    if total := sum(letters.values()):
        shares = [
            f"{_share(count / total)} {script}" for script, count in letters.items() if count > total / 100
        ]
        told.append(f"letters: {', '.join(shares[:5])}")
    if unknown is not None and "unknown" in train.found:
        told.append(
            f"{_share(train.found['unknown'] / max(len(train.tokens), 1))} of the tokens are {unknown}"
        )
    if train.hashes is not None and heldout.hashes is not None:
        every = np.concatenate([train.hashes, heldout.hashes])
        again = len(every) - len(np.unique(every))
        told.append(f"{again:,} documents ({_share(again / max(len(every), 1))}) repeat another one")
    return f"The text: {'; '.join(told)}"


def doubts(train: TokenStore, heldout: TokenStore) -> list[str]:
    """Say what makes a text's figures doubtful: odd characters, and held-out documents that are trained on."""
    counts = Counter(train.found.get("odd", {})) + Counter(heldout.found.get("odd", {}))
    odd = [f"{count:,} {what}" for what, count in counts.items()]
    found = [f"the text holds {', '.join(odd)}: is it decoded and joined as it should be?"] if odd else []
    if train.hashes is None or heldout.hashes is None:
        return found
    shared = int(np.isin(heldout.hashes, train.hashes).sum())
    if shared:
        found.append(
            f"{shared:,} of {len(heldout.hashes):,} held-out documents ({_share(shared / len(heldout.hashes))}) are "
            "trained on too, so that held-out figures are better than those on new text: name other files in "
            "corpus.heldout, or leave it out, and documents are held out by their content"
        )
    return found


def _size(store: TokenStore) -> str:
    counts = store.counts()
    return f"{counts['documents']:,} documents of {counts['bytes']:,} bytes"


def _share(part: float) -> str:
    return f"{part:.0%}" if part >= 0.1 or not part else f"{part:.2%}"
