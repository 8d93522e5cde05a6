"""Span corruption as the Flax example of Hugging Face does it (`run_t5_mlm_flax`): masks are drawn text by text.

The algorithm is that of the published T5 preprocessors (`random_spans_noise_mask`), the code our own.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedTokenizerBase


class T5Collator:
    """Makes a batch of texts that all have the same number of tokens."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, density: float, mean_span: float) -> None:
        self.density, self.mean_span = density, mean_span
        self.end: int = tokenizer.eos_token_id
        self.first_sentinel: int = tokenizer.convert_tokens_to_ids("<extra_id_0>")

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Give input_ids (B, input length) and labels (B, target length)."""
        texts = np.array([example["input_ids"] for example in examples])
        noise = np.array([self.mask(texts.shape[1]) for _ in examples])
        return {"input_ids": self.corrupt(texts, noise), "labels": self.corrupt(texts, ~noise)}

    def mask(self, length: int) -> npt.NDArray[np.bool_]:
        """Draw which tokens of one text are lost: shape (length,)."""
        lost = min(max(round(length * self.density), 1), length - 1)
        spans = max(round(lost / self.mean_span), 1)
        kept_lengths, lost_lengths = (_split(count, spans) for count in (length - lost, lost))
        lengths = np.stack([kept_lengths, lost_lengths], axis=1).reshape(-1)
        begins = np.zeros(length, np.int64)
        begins[np.cumsum(lengths)[:-1]] = 1
        return np.cumsum(begins) % 2 == 1

    def corrupt(self, texts: npt.NDArray[np.int64], noise: npt.NDArray[np.bool_]) -> torch.Tensor:
        """Put a sentinel in each span's place, and EOS at the end."""
        begins = noise & ~np.roll(noise, 1, axis=1)
        begins[:, 0] = noise[:, 0]
        sentinels = self.first_sentinel + 1 - np.cumsum(begins, axis=1)
        marked = np.where(begins, sentinels, np.where(noise, -1, texts))
        left = marked[marked >= 0].reshape(len(texts), -1)
        ends = np.full((len(texts), 1), self.end)
        return torch.from_numpy(np.concatenate([left, ends], axis=1))


def _split(items: int, parts: int) -> npt.NDArray[np.int64]:
    """Split items into parts that each have some, by shuffling where the parts begin."""
    begins = np.arange(items - 1) < parts - 1
    part = np.cumsum(np.pad(np.random.permutation(begins), (1, 0)))
    return np.bincount(part, minlength=parts)
