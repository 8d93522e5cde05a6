"""What all objectives that hide words share: which words they hide, and what replaces these."""

import numpy as np
import numpy.typing as npt
from pydantic import Field

from hornbook.objectives.objective import IGNORED, Mask, Objective, missing
from hornbook.objectives.vocabulary import Ids, Vocabulary
from hornbook.rng import CounterRNG


class Masking(Objective):
    """Options of masked language modelling, and how a text is masked (Devlin et al., 2019, section 3.1).

    Of the chosen tokens, 80 % are replaced by the mask token, 10 % by a random word, and 10 % stay. This is drawn
    for every token by itself, also within whole words, as in `create_masked_lm_predictions` of google-research/bert.
    """

    reading = "both ways"
    rate: float = Field(0.15, gt=0, lt=1)
    """Share of the tokens that are chosen."""
    mask: float = Field(0.8, ge=0, le=1)
    """Share of the chosen tokens that become the mask token."""
    random: float = Field(0.1, ge=0, le=1)
    """Share of the chosen tokens that become a random word, never a special token."""
    whole_words: bool = False
    """Whether all tokens of a word are chosen together. Words are those of Unicode and, where a script has no spaces,
    of a dictionary."""
    exact: bool = False
    """Whether every example has round(rate * tokens) chosen tokens, at least one, as in BERT's code; else each token or
    word is chosen by itself. With whole words it may have fewer: as in BERT's code, a word that is too long is
    skipped."""
    duplicates: int | None = Field(None, ge=1, le=10**6)
    """The number of ways in which a text is masked: BERT made ten copies of each text, and epoch e reads copy e modulo
    ten. None masks a text anew each time (RoBERTa, Liu et al., 2019, section 4.1)."""

    @property
    def words(self) -> bool:
        """Whole words need to know where they begin."""
        return self.whole_words

    @property
    def copies(self) -> int | None:
        """The number of duplicates."""
        return self.duplicates

    def problems(self, vocabulary: Vocabulary, length: int) -> list[str]:
        """Need a mask token, CLS and SEP, known words, and shares that add up to at most 1."""
        found = missing(cls=vocabulary.cls, sep=vocabulary.sep, mask=vocabulary.mask)
        if self.mask + self.random > 1:
            found.append(
                f"objective.mask {self.mask} and objective.random {self.random} add up to more than 1"
            )
        return found

    def end(self, vocabulary: Vocabulary) -> int | None:
        """Documents end in SEP, as sentences do in BERT and RoBERTa."""
        return vocabulary.sep

    def hide(
        self,
        text: Ids,
        vocabulary: Vocabulary,
        rng: CounterRNG,
        chosen: Mask | None = None,
        begins: Mask | None = None,
    ) -> tuple[Ids, Ids]:
        """Mask texts (B, length): give inputs, and labels with each chosen token. Special tokens stay.

        `begins` (B, length) says where words begin, if these are chosen whole. `chosen` (B, length) replaces the drawn
        choice; what a chosen token becomes is still drawn.
        """
        if chosen is None:
            chosen = self.choose(text, vocabulary, rng, begins)
        places = np.nonzero(chosen)
        replacement = rng.uniform_at("fate", *places)
        words = (rng.uniform_at("words", *places) * len(vocabulary.words)).astype(np.int64)
        random_or_same = np.where(
            replacement < self.mask + self.random, vocabulary.words[words], text[places]
        )
        inputs, labels = text.copy(), np.full_like(text, IGNORED)
        inputs[places] = np.where(replacement < self.mask, vocabulary.mask or 0, random_or_same)
        labels[places] = text[places]
        return inputs, labels

    def choose(self, text: Ids, vocabulary: Vocabulary, rng: CounterRNG, begins: Mask | None = None) -> Mask:
        """Choose the tokens of texts (B, length) to predict."""
        special = vocabulary.is_special(text)
        allowed = ~special
        scores = rng.uniform("chosen", text.shape[1])
        if not (self.whole_words or self.exact):
            return (scores < self.rate) & allowed
        if self.whole_words:
            assert begins is not None, "whole words are chosen, and the store doesn't say where words begin"
            begins = begins | special
            begins[:, 1:] |= special[:, :-1]  # a special token is a word of its own
            begins[:, 0] = True
        else:
            begins = np.ones_like(allowed)
        # Each token has the place of its word's first token, whose score decides for the word.
        first = np.maximum.accumulate(np.where(begins, np.arange(text.shape[1]), 0), axis=1)
        chosen = np.take_along_axis(scores, first, axis=1) < self.rate
        if self.exact:
            wanted = np.maximum(np.rint(self.rate * allowed.sum(axis=1)), 1).astype(np.int64)
            scores = np.where(begins & allowed, scores, np.inf)
            if not self.whole_words:
                return (np.argsort(np.argsort(scores, axis=1), axis=1) < wanted[:, None]) & allowed
            chosen = np.take_along_axis(_fill(scores, _sizes(begins), wanted), first, axis=1)
        return chosen & allowed


def _sizes(begins: Mask) -> Ids:
    """Count the tokens from each beginning to the next, in the same shape; only the beginnings matter."""
    rows, length = begins.shape
    place = np.where(begins, np.arange(length), length)
    following = np.minimum.accumulate(place[:, ::-1], axis=1)[:, ::-1]
    return np.pad(following[:, 1:], ((0, 0), (0, 1)), constant_values=length) - np.arange(length)


def _fill(scores: npt.NDArray[np.float64], sizes: Ids, wanted: Ids) -> Mask:
    """Take words by ascending score, at most `wanted` tokens; words of infinite score are never taken.

    A word that is too long for what is left is skipped: `create_masked_lm_predictions` of google-research/bert.
    """
    order = np.argsort(scores, axis=1, kind="stable")
    sizes = np.take_along_axis(np.where(np.isfinite(scores), sizes, np.iinfo(np.int64).max), order, axis=1)
    left, taken = wanted.copy(), np.zeros(scores.shape, bool)
    for place in range(scores.shape[1]):
        taken[:, place] = sizes[:, place] <= left
        left -= np.where(taken[:, place], sizes[:, place], 0)
        if not left.any():
            break
    found = np.zeros_like(taken)
    np.put_along_axis(found, order, taken, axis=1)
    return found
