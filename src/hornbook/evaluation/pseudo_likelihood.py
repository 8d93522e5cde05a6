"""Pseudo-likelihood: how well a masked model predicts each token from all of the others."""

import re
from collections.abc import Callable, Sequence

import torch

from hornbook.evaluation.likelihood import Likelihood, spread
from hornbook.loading import LoadedModel
from hornbook.tokenizers import encode_documents

_TOKENS = 2**12
"""Most tokens in one forward pass."""


@torch.inference_mode()
def pseudo_likelihood(
    loaded: LoadedModel,
    texts: Sequence[str],
    documents: int = 64,
    characters: int = 256,
    progress: Callable[[float], None] | None = None,
) -> Likelihood:
    """Sum -ln p of each token given all others (Salazar et al., 2020, "Masked language model scoring", eq. 1).

    This takes a forward pass for each token, so only the beginnings of `documents` evenly spread texts are read, up to
    the last space within `characters` characters. These beginnings don't depend on the tokenizer or the model's length;
    a model that is too short for one reads it in parts. `progress` is called with the share that is done. Raises
    HornbookError unless the model is masked.
    """
    loaded.need(head="masked")
    beginnings = [beginning(texts[number], characters) for number in spread(len(texts), documents)]
    window = loaded.length - 2
    parts = [
        ids[first : first + window]
        for ids in encode_documents(loaded.tokenizer, beginnings)
        for first in range(0, len(ids), window)
    ]
    total = sum(map(len, parts))
    nats, done = 0.0, 0
    for part in parts:
        nats += _score(loaded, part)
        done += len(part)
        if progress:
            progress(done / total)
    return Likelihood(nats, total, sum(len(text.encode("utf-8")) for text in beginnings), len(beginnings))


def beginning(text: str, characters: int) -> str:
    """Cut a text at the last space within its first `characters`, or after so many characters if there is none."""
    if len(text) <= characters:
        return text
    words = re.match(r"(?s).*\S(?=\s)", text[: characters + 1])
    return words[0] if words else text[:characters]


def _score(loaded: LoadedModel, part: list[int]) -> float:
    """Sum -ln p over a part of a text, between CLS and SEP as in training."""
    vocabulary, model = loaded.vocabulary, loaded.model
    assert vocabulary.mask is not None
    ids = torch.tensor([vocabulary.cls, *part, vocabulary.sep], device=model.device)
    nats = 0.0
    for places in torch.arange(1, len(part) + 1, device=model.device).split(max(1, _TOKENS // len(ids))):
        rows = torch.arange(len(places), device=model.device)
        inputs = ids.repeat(len(places), 1)
        inputs[rows, places] = vocabulary.mask
        hidden = loaded.family.hidden(model, {"input_ids": inputs})[rows, places]
        logits = loaded.family.logits(model, hidden).float()
        nats -= float(logits.log_softmax(-1)[rows, ids[places]].double().sum())
    return nats
