"""A collator of an objective by its name, with its options."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from transformers import PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.loading.model import finished
from hornbook.objectives import OBJECTIVES
from hornbook.objectives.collator import Collator
from hornbook.recipe.problems import explain
from hornbook.tokenizers import load


def collator(
    objective: str,
    tokenizer: PreTrainedTokenizerBase | Path | str,
    length: int = 512,
    seed: int = 0,
    **options: Any,
) -> Collator:
    """Make an objective's batches for Hugging Face's Trainer, for Lightning, or for a plain loop.

        collate = hornbook.collator("span_corruption", tokenizer, length=512)
        train = dataset.map(collate.cut, batched=True, remove_columns=dataset.column_names)
        Trainer(model, arguments, train_dataset=train, data_collator=collate)

    The tokenizer is one of transformers, or its folder. `length` are the tokens of the model's input, special tokens
    included; `options` are the objective's, as in a recipe (`whole_words=True`). The batches are those of
    `hornbook.train`. Whole words, next sentence and sentence order need `remove_unused_columns=False` of the Trainer.
    Raises HornbookError for an objective or option that isn't known, and for a tokenizer or length that doesn't fit.
    """
    kind = OBJECTIVES.find(objective)
    unknown = options.keys() - kind.model_fields.keys()
    if unknown:
        raise HornbookError(
            f"{objective} has no option {', '.join(sorted(unknown))}: it has {', '.join(kind.model_fields)}"
        )
    for name, value in (("length", length), ("seed", seed)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise HornbookError(f"{name} is {value!r:.60}: give an int")
    try:
        made = kind(**options)
    except ValidationError as error:
        found = "; ".join(line for one in error.errors() for line in explain(dict(one)))
        raise HornbookError(f"{objective}: {found}: change this option") from error
    return Collator(made, _opened(tokenizer), length, seed)


def _opened(tokenizer: Any) -> PreTrainedTokenizerBase:
    if isinstance(tokenizer, Path | str):
        return load(str(finished(Path(tokenizer)) or tokenizer))
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise HornbookError(
            f"the tokenizer is of the type {type(tokenizer).__name__}: give one of transformers, or its folder"
        )
    return tokenizer
