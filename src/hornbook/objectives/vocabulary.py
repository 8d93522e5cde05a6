"""What an objective has to know about a tokenizer: which ids have a role, and which are words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from hornbook.tokenizers import WordEdges, sentinel_ids, word_edges

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer's ids, as arrays that a batch can be made with."""

    size: int
    """Rows that the embedding needs: one more than the highest id."""
    cls: int | None
    sep: int | None
    eos: int | None
    mask: int | None
    special: Ids
    """All special tokens, ascending: never masked, never drawn as a random word."""
    words: Ids
    """All other tokens, ascending."""
    sentinels: Ids
    """T5's sentinels, <extra_id_0> first."""
    pad: int | None = None
    named: Mapping[str, int] = field(default_factory=dict)
    """Special tokens by name."""
    tokenizer: PreTrainedTokenizerBase | None = field(default=None, repr=False, compare=False)
    """Needed to find where words begin."""

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> "Vocabulary":
        """Read the ids from the tokenizer, by role and by name, never by position."""
        known = np.array(sorted(set(tokenizer.get_vocab().values())), np.int64)
        sentinels = np.array(sentinel_ids(tokenizer), np.int64)
        special = np.union1d(np.array(tokenizer.all_special_ids, np.int64), sentinels)
        return cls(
            size=int(known[-1]) + 1,
            cls=tokenizer.cls_token_id,
            sep=tokenizer.sep_token_id,
            eos=tokenizer.eos_token_id,
            mask=tokenizer.mask_token_id,
            special=special,
            words=np.setdiff1d(known, special),
            sentinels=sentinels,
            pad=tokenizer.pad_token_id,
            named=dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True)),
            tokenizer=tokenizer,
        )

    @cached_property
    def edges(self) -> WordEdges | None:
        """Which tokens begin and end words; None where the tokenizer doesn't tell."""
        return None if self.tokenizer is None else word_edges(self.tokenizer, self.size)

    def is_special(self, ids: Ids) -> npt.NDArray[np.bool_]:
        """Tell which ids are special tokens: same shape."""
        table = np.zeros(self.size, bool)
        table[self.special] = True
        return table[ids]

    def begins_word(self, ids: Ids) -> npt.NDArray[np.bool_]:
        """Tell which tokens of texts (B, length) begin a word; a special token is a word of its own."""
        assert self.edges is not None
        special = self.is_special(ids)
        begins = self.edges.begins[ids] | special
        begins[:, 1:] |= (self.edges.ends[ids] | special)[:, :-1]
        begins[:, 0] = True
        return begins
