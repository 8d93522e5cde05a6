"""Fill the blanks of a text with a text-to-text model."""

from dataclasses import dataclass

import torch

from hornbook.errors import HornbookError
from hornbook.evaluation.blanks import cut, join, refuse_long, written
from hornbook.evaluation.literal_prompt import refuse_dense
from hornbook.evaluation.sampling import sampling, seeded
from hornbook.loading import AnyModel, load
from hornbook.objectives import OBJECTIVES
from hornbook.tokenizers import encode_documents


@dataclass(frozen=True)
class Infilled:
    """A text whose blanks are filled."""

    text: str
    """The text with each span between ⟦ and ⟧."""
    spans: tuple[str, ...]
    """The text of each blank; empty if the model wrote nothing for it."""


def infill(
    model: AnyModel,
    text: str,
    tokens: int = 32,
    temperature: float = 0.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
) -> Infilled:
    """Fill every blank of a text (`<mask>`, `[MASK]`, `___` or `<extra_id_0>`) with a span of words.

    The model reads the text with a sentinel for each blank, and writes each sentinel with its span, on average at most
    `tokens` tokens a blank. A model that was trained on UL2's mixture also gets the mode token for short and few spans.
    Tokens are chosen as `sampling` says. Raises HornbookError unless the model is text-to-text, and for a text without
    a blank, with more blanks than there are sentinels, or with more tokens than the model takes.
    """
    loaded = load(model)
    loaded.need(head="seq2seq")
    refuse_dense(loaded, text)
    parts, sentinels, end = cut(text), loaded.vocabulary.sentinels.tolist(), loaded.vocabulary.eos
    assert end is not None
    blanks = len(parts) - 1
    if not blanks:
        raise HornbookError(f"there is no blank in {text!r:.60}: write <mask> where words are to be found")
    if blanks > len(sentinels):
        raise HornbookError(
            f"the text has {blanks} blanks, and {loaded.name} has {len(sentinels)} sentinels: leave fewer blanks"
        )
    encoded = encode_documents(loaded.tokenizer, parts)
    named = loaded.vocabulary.named
    modes = [named[kind.infill_mode] for kind in OBJECTIVES.values() if kind.infill_mode in named]
    ids = (
        modes[:1]
        + encoded[0]
        + [token for number, part in enumerate(encoded[1:]) for token in (sentinels[number], *part)]
        + [end]
    )
    refuse_long(loaded, ids)
    # The model stops at the sentinel after the last blank's span.
    stops = [end, *sentinels[blanks : blanks + 1]]
    config = sampling(loaded, tokens * blanks, temperature, top_k, top_p, stops)
    inputs = torch.tensor([ids], device=loaded.model.device)
    with seeded(inputs.device, seed):
        answer = loaded.model.generate(
            inputs, attention_mask=torch.ones_like(inputs), generation_config=config
        )[0].tolist()
    spans = _spans(answer[1:], sentinels, end)
    filled, whole = [], parts[0]
    for number in range(blanks):
        span = written(loaded.tokenizer, encoded[number], spans.get(sentinels[number], []))
        filled.append(span.strip(" "))
        whole = join(whole, span.rstrip(" ") or " ", parts[number + 1], ("⟦", "⟧"))
    return Infilled(whole, tuple(filled))


def _spans(answer: list[int], sentinels: list[int], end: int) -> dict[int, list[int]]:
    """Split the decoder's output into spans: the tokens after each sentinel's first occurrence."""
    known = set(sentinels)
    spans: dict[int, list[int]] = {}
    span: list[int] = []  # tokens before the first sentinel belong to no blank
    for token in answer:
        if token == end:
            break
        if token in known:
            span = []
            spans.setdefault(token, span)
        else:
            span.append(token)
    return spans
