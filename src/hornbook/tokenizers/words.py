"""The words of a corpus and how often each occurs, counted as a stream on all cores."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from tokenizers import Tokenizer, models, trainers

from hornbook.errors import HornbookError


def batches(
    documents: Iterable[str], progress: Callable[[int], None] | None = None, most: int = 1_000_000
) -> Iterator[list[str]]:
    """Group documents into lists of about `most` characters for the Rust library; `progress` gets each list's bytes."""
    batch: list[str] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document)
        if size >= most:
            yield _reported(batch, progress)
            batch, size = [], 0
    if batch:
        yield _reported(batch, progress)


def _reported(batch: list[str], progress: Callable[[int], None] | None) -> list[str]:
    if progress:
        progress(sum(len(text.encode("utf-8", "surrogatepass")) for text in batch))
    return batch


def count_words(documents: Iterator[list[str]], pipeline: Tokenizer) -> dict[str, int]:
    """Count the words that the pipeline's normalizer and pre-tokenizer make of the documents, sorted by word.

    Memory grows only with the number of distinct words. The order matters: the trainers of `tokenizers` keep such
    counts in hash maps of random order, which changes what they learn (ids in WordPiece, sums of floats in Unigram).
    """
    counter = Tokenizer(models.WordLevel())
    if pipeline.normalizer is not None:
        counter.normalizer = pipeline.normalizer
    counter.pre_tokenizer = pipeline.pre_tokenizer
    trainer = trainers.WordLevelTrainer(vocab_size=0, show_progress=False)
    counter.train_from_iterator(documents, trainer)
    words = json.loads(trainer.__getstate__())["WordLevelTrainer"]["words"]
    return dict(sorted(words.items()))


def count_characters(words: dict[str, int]) -> Counter[str]:
    """Count the characters of counted words."""
    characters: Counter[str] = Counter()
    for word, times in words.items():
        for character in word:
            characters[character] += times
    return characters


def learnable(words: dict[str, int], keep: Callable[[str], bool]) -> dict[str, int]:
    """Select the words to learn from. Raises HornbookError when there are none."""
    kept = {word: times for word, times in words.items() if keep(word)}
    if not kept:
        raise HornbookError(
            f"0 of the corpus's {len(words)} distinct words can be learnt from (they hold special tokens or "
            "rare characters): give more text"
        )
    return kept
