"""An objective as a collator: what any training loop of PyTorch takes to make its batches."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info
from transformers import PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.objectives.framed import Framed
from hornbook.objectives.objective import IGNORED, Batch, Objective
from hornbook.objectives.vocabulary import Ids, Vocabulary
from hornbook.rng import CounterRNG
from hornbook.store import TokenStore
from hornbook.store.marked import encode_marked
from hornbook.tokenizers import Template, encode_documents

_FILLED = {"labels": IGNORED, "attention_mask": 0, "position_ids": 0, "token_type_ids": 0}
"""With what a short row is filled up; ids with padding."""


class Collator:
    """Makes a batch of tokens, as tensors of shape (examples, ...) in Hugging Face's own form.

    Call n, counted from 0, draws as step n of a run with this seed does. In the worker processes of a DataLoader the
    draws follow from the seed, from what PyTorch's own generator drew for the epoch, and from the batch's number: so
    they are others in each epoch, and the same after `torch.manual_seed`. It can be pickled.
    """

    def __init__(
        self, objective: Objective, tokenizer: PreTrainedTokenizerBase, length: int, seed: int
    ) -> None:
        self.objective, self.tokenizer, self.length, self.seed = objective, tokenizer, length, seed
        self.vocabulary = Vocabulary.of(tokenizer)
        self.calls = 0
        """How many batches it has made; set it to go on from there."""
        problems = objective.problems(self.vocabulary, length)
        if problems:
            raise HornbookError(_in_python("; ".join(problems)))
        if objective.head not in get_args(Template):
            raise HornbookError(
                f"{objective.title} trains a {objective.head} model, and no class of Hugging Face's can do so from a "
                "batch alone: use hornbook.train"
            )
        if objective.copies:
            raise HornbookError(
                f"duplicates: {objective.copies} needs a run that counts its epochs: leave it out, or use "
                "hornbook.train"
            )
        self._framed = Framed(objective, self.vocabulary, self.window)

    def __repr__(self) -> str:
        return (
            f"<Collator: {self.objective.describe()}, length {self.length}, of {self.window} tokens of text, "
            f"seed {self.seed}>"
        )

    @property
    def window(self) -> int:
        """Tokens of text that one example takes, such as 568 for T5's 512."""
        return self.objective.window(self.length)

    def cut(self, rows: Mapping[str, Sequence[str]], column: str = "text") -> dict[str, list[Any]]:
        """Tokenize texts and cut them into examples: a function for `datasets.map(..., batched=True)`.

        The texts stand one after the other, each with its end token, and are cut every `window` tokens; what is left
        at the end of the rows is dropped. An objective over pairs gets a document in each row, with `sentences`, where
        its sentences begin, and whole words get `words`, whether a word begins with each token;
        `remove_unused_columns=False` lets the Trainer keep these.
        """
        if isinstance(rows[column], str):
            raise HornbookError("`cut` takes many texts at once: give batched=True to datasets.map")
        texts, end = list(rows[column]), self.objective.end(self.vocabulary)
        sentences, words = self.objective.sentences, self.objective.words
        if not (sentences or words):
            return {"input_ids": self._cut([(*ids, end) for ids in encode_documents(self.tokenizer, texts)])}
        marked = encode_marked(self.tokenizer, texts, (), sentences, words)
        if not sentences:
            return {
                "input_ids": self._cut([(*one.ids, end) for one in marked]),
                "words": self._cut([(*one.words.tolist(), True) for one in marked]),
            }
        documents = [one for one in marked if len(one.ids) > 1]
        return {
            "input_ids": [one.ids for one in documents],
            "sentences": [one.sentences.tolist() for one in documents],
            **({"words": [one.words.tolist() for one in documents]} if words else {}),
        }

    def _cut(self, documents: list[tuple[Any, ...]]) -> list[list[Any]]:
        stream = [one for document in documents for one in document]
        starts = range(0, len(stream) - self.window + 1, self.window)
        return [stream[start : start + self.window] for start in starts]

    def __call__(self, examples: Sequence[Any], step: int | None = None) -> dict[str, Tensor]:
        """Make the batch of some examples: mappings with `input_ids`, or the ids alone.

        An example is a text of at most `window` tokens; shorter ones are filled up. Special tokens around it, which
        `tokenizer(text)` adds, and what an `attention_mask` hides are left out, since the objective adds its own.
        `step` names the step whose draws are wanted. Raises HornbookError for examples that are too long, that lack
        what the objective needs, or that have special tokens inside.
        """
        if not len(examples):
            raise HornbookError("there are no examples: a batch has one or more")
        rng = CounterRNG(self.seed, self._step() if step is None else step, np.arange(len(examples)))
        rows, pairs = [_ids(one) for one in examples], self.objective.sentences
        words = self._column(examples, "words") if self.objective.words else None
        if not pairs:
            texts = [self._framed.text(*one) for one in zip(examples, rows, strict=True)]
            rows, words = _within(rows, texts), words and _within(words, texts)
        made = self._pairs(examples, rows, words, rng) if pairs else self._windows(rows, words, rng)
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in made.items()}

    def _step(self) -> int | str:
        calls, worker = self.calls, get_worker_info()
        self.calls += 1
        if worker is None:
            return calls
        # The first is the same in all workers of an epoch, and another in each.
        return f"{worker.seed - worker.id} {calls * worker.num_workers + worker.id}"

    def _column(self, examples: Sequence[Any], name: str) -> list[Any]:
        if not all(isinstance(one, Mapping) and name in one for one in examples):
            raise HornbookError(
                f"an example has no `{name}`: make examples with the collator's `cut`, and let the Trainer keep their "
                "columns by remove_unused_columns=False"
            )
        return [one[name] for one in examples]

    def _windows(self, rows: Sequence[Any], words: list[Any] | None, rng: CounterRNG) -> Batch:
        lengths = np.array([len(row) for row in rows])
        if (most := int(lengths.max(initial=0))) > self.window:
            raise HornbookError(
                f"an example has {most} tokens, and {self.objective.title} takes {self.window} for a length of "
                f"{self.length}: cut the texts with the collator's `cut`"
            )
        if int(lengths.min(initial=2)) < 2:
            raise HornbookError(
                f"an example has {int(lengths.min())} tokens: leave those of fewer than 2 out"
            )
        parts = []
        for length in np.unique(lengths):
            places = np.flatnonzero(lengths == length)
            windows = np.array([np.asarray(rows[place]) for place in places.tolist()], np.int64)
            self._framed.check(windows)
            begins = [] if words is None else [np.array([words[place] for place in places.tolist()], bool)]
            parts.append(
                (places, self.objective.batch(windows, self.vocabulary, _some(rng, places), *begins))
            )
        return parts[0][1] if len(parts) == 1 else self._join(parts, len(rows))

    def _join(self, parts: list[tuple[Ids, Batch]], count: int) -> Batch:
        """Put rows of different lengths together, filled up to the longest."""
        for _, batch in parts:
            batch.setdefault("attention_mask", np.ones_like(batch["input_ids"]))
        joined = {}
        for name in parts[0][1]:
            width = max(batch[name].shape[1] for _, batch in parts)
            joined[name] = np.full((count, width), _FILLED.get(name, self._pad), np.int64)
            for places, batch in parts:
                joined[name][places, : batch[name].shape[1]] = batch[name]
        return joined

    @property
    def _pad(self) -> int:
        """What stands where nothing is read: padding, else an end token, under an attention mask of 0."""
        pad = self.vocabulary.pad
        return int(pad if pad is not None else self.vocabulary.eos or 0)

    def _pairs(
        self, examples: Sequence[Any], documents: Sequence[Any], words: list[Any] | None, rng: CounterRNG
    ) -> Batch:
        """Make a pair of each document, from any of its stretches; a second segment comes from another of the batch."""
        sentences = self._column(examples, "sentences")
        store = _store(documents, sentences, words, self.objective.end(self.vocabulary) or 0)
        self._framed.check(store.tokens)
        try:
            chunking = self.objective.chunking(store, self.length)
        except HornbookError as error:
            raise HornbookError(
                f"a batch of {len(documents)} documents: {error}; or let the loader leave small batches out, by "
                "drop_last=True"
            ) from error
        starts = chunking.starts(np.arange(chunking.count))
        owners = np.searchsorted(store.ends, starts, side="right")
        numbers = np.arange(len(documents))
        first, last = np.searchsorted(owners, numbers), np.searchsorted(owners, numbers, side="right")
        if int((last - first).min()) < 1:
            raise HornbookError(
                "a document has fewer than two tokens, of which no pair can be made: leave it out"
            )
        chosen = first + (rng.uniform("stretch", 1)[:, 0] * (last - first)).astype(np.int64)
        return self.objective.read(store, chunking, starts[chosen], self.vocabulary, rng)


def _ids(example: Any) -> Any:
    """Give an example's ids. Raises HornbookError for one that isn't tokenized."""
    if isinstance(example, Mapping) and "input_ids" in example:
        return example["input_ids"]
    if isinstance(example, Mapping | str):
        found = (
            "is a text" if isinstance(example, str) else f"has {', '.join(map(str, example)) or 'no columns'}"
        )
        raise HornbookError(
            f"an example {found}, and the collator takes `input_ids`: cut the texts into examples first, by "
            "dataset.map(collate.cut, batched=True, remove_columns=dataset.column_names)"
        )
    if not hasattr(example, "__len__"):
        raise HornbookError(
            f"an example is of the type {type(example).__name__}: give mappings with `input_ids`, or lists of ids"
        )
    return example


_IN_A_RECIPE = {
    "model.length": "length",
    "leave tokenizer.path out to train a tokenizer that has it, or set each mode in objective.mixture": (
        "give the tokenizer this token, or set each mode in mixture"
    ),
    "tokenizer.sentinels": "sentinels of hornbook.tokenizer.train",
    "tokenizer.style": "style of hornbook.tokenizer.train",
}
"""What a recipe's sentences name, and what it is here."""


def _in_python(problems: str) -> str:
    for key, name in _IN_A_RECIPE.items():
        problems = problems.replace(key, name)
    return problems


def _within(rows: Sequence[Any], texts: Sequence[slice]) -> list[Any]:
    return [row if text == slice(0, len(row)) else row[text] for row, text in zip(rows, texts, strict=True)]


def _some(rng: CounterRNG, places: Ids) -> CounterRNG:
    return CounterRNG(rng.seed, rng.step, rng.rows[places])


def _store(
    documents: Sequence[Any], sentences: Sequence[Any], words: list[Any] | None, end: int
) -> TokenStore:
    """Keep the documents of a batch as a corpus's tokens are kept, in memory."""
    ends = np.cumsum([len(one) + 1 for one in documents])
    begins = np.concatenate([[0], ends[:-1]])
    tokens = np.concatenate([np.array([*one, end], np.int64) for one in documents]).astype(np.uint32)
    places = np.concatenate(
        [begin + np.array(one, np.int64) for begin, one in zip(begins, sentences, strict=True)]
    )
    store = TokenStore(Path(), tokens, ends, np.zeros(len(ends), np.int64), places)
    if words is None:
        return store
    return replace(store, words=np.concatenate([np.array([*one, True], bool) for one in words]))
