"""Each measure's twin: the same figure from Hugging Face's own class, one forward pass at a time."""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from hornbook.evaluation.heldout import heldout_batches
from hornbook.evaluation.pseudo_likelihood import beginning
from hornbook.testing.case import LENGTH, Case, Twin
from hornbook.tokenizers import encode_documents


def loss_twin(case: Case, plain: PreTrainedModel, texts: Sequence[str]) -> list[float]:
    """Average the class's own loss, or each of its terms, over all labels, one window at a time."""
    store, objective = case.store(texts), case.objective
    sums = torch.zeros(len(objective.terms), dtype=torch.float64)
    counts = torch.zeros_like(sums)
    for batch in heldout_batches(store, objective, case.vocabulary, LENGTH, 10**6, 1):
        count = objective.counts(batch)
        with torch.no_grad():
            means = case.class_loss(plain, batch)
        sums += torch.where(count > 0, means * count, 0.0)
        counts += count
    return (sums / counts).tolist()


def bits_per_byte_twin(case: Case, plain: PreTrainedModel, texts: Sequence[str]) -> list[float]:
    """Ask the class for one token at a time, with everything before it in the document; after it, if it reads so."""
    end = case.objective.end(case.vocabulary)
    assert end is not None
    turn = -1 if case.objective.reading == "right to left" else 1
    documents = [[*ids[::turn], end] for ids in encode_documents(case.tokenizer, list(texts))]
    return [token_by_token(plain, documents, LENGTH) / math.log(2) / _bytes(texts)]


def token_by_token(plain: PreTrainedModel, documents: Sequence[list[int]], length: int) -> float:
    """Sum -ln p of every token, each by a forward pass over the context that the rule of bits per byte gives it."""
    nats, half = 0.0, length // 2
    for document in documents:
        given = [document[-1], *document]
        for place in range(len(document)):
            context = given[: place + 1]
            if place >= length:
                end = min(place - (place - length) % half + half, len(document))
                context = given[end - length : place + 1]
                assert half <= len(context) <= length
            nats -= float(_logits(plain, [context])[-1].log_softmax(0)[document[place]])
    return nats


def pseudo_likelihood_twin(case: Case, plain: PreTrainedModel, texts: Sequence[str]) -> list[float]:
    """Hide one token after the other, each by a forward pass of its own."""
    beginnings = [beginning(text, 256) for text in texts]
    nats, _ = one_mask_at_a_time(plain, case.tokenizer, beginnings, LENGTH - 2)
    return [nats / math.log(2) / _bytes(beginnings)]


def one_mask_at_a_time(
    plain: PreTrainedModel, tokenizer: object, texts: Sequence[str], window: int
) -> tuple[float, int]:
    """Sum -ln p of each token of each part of `window` tokens, and count the tokens."""
    nats, tokens = 0.0, 0
    for ids in _framed(tokenizer, texts, window):
        for place in range(1, len(ids) - 1):
            masked = [*ids[:place], tokenizer.mask_token_id, *ids[place + 1 :]]  # type: ignore[attr-defined]
            nats -= float(_logits(plain, [masked])[place].log_softmax(0)[ids[place]])
            tokens += 1
    return nats, tokens


TWINS: dict[str, Twin] = {
    "bits_per_byte": bits_per_byte_twin,
    "loss": loss_twin,
    "pseudo_likelihood": pseudo_likelihood_twin,
}
"""Hornbook's own measures' twins, by the measures' names."""


@torch.no_grad()
def _logits(plain: PreTrainedModel, ids: list[list[int]]) -> Tensor:
    """Give the class's logits of one sequence, (length, vocabulary), in fp64."""
    logits: Tensor = plain(torch.tensor(ids))[0][0].double()
    return logits


def _framed(tokenizer: object, texts: Sequence[str], window: int) -> Iterator[list[int]]:
    for text in texts:
        words = tokenizer(text, add_special_tokens=False)["input_ids"]  # type: ignore[operator]
        for first in range(0, len(words), window):
            yield [tokenizer.cls_token_id, *words[first : first + window], tokenizer.sep_token_id]  # type: ignore[attr-defined]


def _bytes(texts: Sequence[str]) -> int:
    return sum(len(text.encode("utf-8")) for text in texts)
