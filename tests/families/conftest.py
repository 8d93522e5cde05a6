"""Tokenizers with ids in any order, and one shrunken model of each family."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import torch
from tokenizers import Tokenizer, models
from torch import Tensor
from transformers import PretrainedConfig, PreTrainedTokenizerFast
from transformers.utils import logging

from hornbook.families import FAMILIES, Family, Head, find
from hornbook.testing.case import kinds

MakeTokenizer = Callable[..., PreTrainedTokenizerFast]

LENGTH = 24
SMALL = {preset: family.tiny for family in FAMILIES.values() for preset in kinds(family)}
"""A preset of each kind that a family has, and the values of its tiny model."""


class Small(NamedTuple):
    """A preset, shrunk."""

    family: Family
    preset: str
    overrides: dict[str, Any]
    config: PretrainedConfig
    head: Head
    tokenizer: PreTrainedTokenizerFast

    def batch(self, seed: int = 0) -> dict[str, Tensor]:
        """Make 4 sequences, three of them padded on the right, with labels as Hugging Face wants them."""
        rng = torch.Generator().manual_seed(seed)
        lengths = torch.tensor([LENGTH, LENGTH - 1, LENGTH // 2, 3])
        real = torch.arange(LENGTH) < lengths[:, None]
        ids = torch.randint(10, len(self.tokenizer), (4, LENGTH), generator=rng)
        ids[~real] = self.tokenizer.pad_token_id
        chosen = {"causal": real, "masked": real & (torch.rand(4, LENGTH, generator=rng) < 0.3)}
        if self.head == "seq2seq":
            labels = torch.randint(10, len(self.tokenizer), (4, 7), generator=rng)
            labels[1, 4:] = -100
        else:
            labels = ids.masked_fill(~chosen[self.head], -100)
        return {"input_ids": ids, "attention_mask": real.long(), "labels": labels}


@pytest.fixture(scope="session", autouse=True)
def quiet() -> Iterator[None]:
    """Keep transformers' progress bars and notes out of the tests' output."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    yield
    logging.set_verbosity(verbosity)
    logging.enable_progress_bar()


def make(size: int, **roles: int) -> PreTrainedTokenizerFast:
    words = [f"w{number}" for number in range(size)]
    for role, number in roles.items():
        words[number] = f"<{role}>"
    vocabulary = {word: number for number, word in enumerate(words)}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token=words[-1])),
        **{f"{role}_token": f"<{role}>" for role in roles},
    )


@pytest.fixture(scope="session")
def make_tokenizer() -> MakeTokenizer:
    """Give the maker of a tokenizer of `size` words, in which `role=id` puts each special token at its id."""
    return make


@pytest.fixture(scope="session")
def shrink() -> Callable[..., Small]:
    """Give the maker of a shrunken preset; keywords change its config further."""

    def maker(preset: str, **overrides: Any) -> Small:
        tokenizer = make(100, pad=2, bos=7, eos=0, unk=5, mask=9)
        family = find(preset)
        values = {**SMALL[preset], **overrides}
        config = family.configure(preset, tokenizer, LENGTH, values)
        # A head that no table knows, such as ELECTRA's, has tests of its own.
        head = next(head for head in family.heads if head in ("causal", "masked", "seq2seq"))
        return Small(family, preset, values, config, head, tokenizer)

    return maker


@pytest.fixture(params=SMALL)
def small(request: pytest.FixtureRequest, shrink: Callable[..., Small]) -> Small:
    """Give each shrunken preset in turn."""
    return shrink(request.param)
