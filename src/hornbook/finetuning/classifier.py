"""A pre-trained model as a classifier of texts: Hugging Face's own class, and the tokenizer that frames its texts."""

from pathlib import Path
from typing import Any

import torch
from tokenizers.processors import TemplateProcessing
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    set_seed,
)

from hornbook.errors import HornbookError, one_line
from hornbook.families.custom import Custom, classifier_of
from hornbook.families.positions import has_table, scheme_of
from hornbook.loading import Folder, LoadedModel
from hornbook.quiet import quiet
from hornbook.tokenizers import build_fast_tokenizer


def open_classifier(loaded: LoadedModel, labels: tuple[str, ...], seed: int) -> PreTrainedModel:
    """Open a folder's weights with a new head, drawn with the seed: Hugging Face's ForSequenceClassification class.

    Without labels, the head gives one number. Raises HornbookError where transformers has no such class for the family,
    or weights of the body are missing.
    """
    named: dict[str, Any] = {"num_labels": len(labels) or 1}
    if labels:
        named |= {
            "id2label": dict(enumerate(labels)),
            "label2id": {label: i for i, label in enumerate(labels)},
        }
    set_seed(seed)
    if not has_table(loaded.model.config):
        raise HornbookError(
            f"{loaded.folder}: its positions are {scheme_of(loaded.model.config)}, which Hugging Face's classifiers "
            "don't have: fine-tune a model with model.positions learned or sinusoidal"
        )
    own = classifier_of(loaded.family) if isinstance(loaded.family, Custom) else None
    kind = own or AutoModelForSequenceClassification
    try:
        with quiet(), Folder(loaded.folder).harmless() as place:
            model, info = kind.from_pretrained(
                place,
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
                **named,
            )
    except Exception as error:  # transformers and safetensors each have their own
        raise HornbookError(
            f"{loaded.folder} can't be opened as a classifier of texts ({one_line(error)}): give a model of "
            "another family"
        ) from error
    body = f"{model.base_model_prefix}."
    lost = [name for name in info["missing_keys"] if name.startswith(body) and ".pooler" not in name]
    if lost:
        raise HornbookError(
            f"{loaded.folder} lacks {len(lost)} weights of {type(model).__name__}, such as {lost[0]}: copy it again"
        )
    model.config.pad_token_id = loaded.tokenizer.pad_token_id
    if model.config.pad_token_id is None:
        model.config.pad_token_id = loaded.tokenizer.eos_token_id
    return loaded.family.adapt(model)


def frame_texts(loaded: LoadedModel) -> PreTrainedTokenizerBase:
    """Copy the tokenizer, so that it frames texts as the classifier reads them.

    A causal model reads `A end`, and two texts as `A end B end`, since it answers at the last place; whatever the
    tokenizer puts before a text stays. All others keep the form of their own.
    """
    if not loaded.serves(head="causal"):
        return loaded.tokenizer
    tokenizer = build_fast_tokenizer(loaded.tokenizer, template="causal", length=loaded.length)
    end, begin = tokenizer.eos_token, []
    framed = loaded.tokenizer("")["input_ids"]
    if framed and framed[0] == loaded.tokenizer.bos_token_id:
        begin = [tokenizer.bos_token]
    known = [(token, tokenizer.convert_tokens_to_ids(token)) for token in {end, *begin}]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=[*begin, "$A", end], pair=[*begin, "$A", end, "$B", end], special_tokens=known
    )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = end
    return tokenizer


def save_classifier(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a plain folder, which `AutoModelForSequenceClassification` and `AutoTokenizer` open."""
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
