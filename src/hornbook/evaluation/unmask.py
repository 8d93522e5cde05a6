"""Fill the blanks of a text with a masked model."""

from dataclasses import dataclass

import torch

from hornbook.errors import HornbookError
from hornbook.evaluation.blanks import BLANK, cut, join, refuse_long, written
from hornbook.evaluation.literal_prompt import refuse_dense
from hornbook.loading import AnyModel, load
from hornbook.tokenizers import encode_documents

_VISIBLE = str.maketrans({"\n": "⏎", "\r": "⏎", "\t": "⇥", " ": "␣"})
"""How a token is shown that is white space alone: a byte-level tokenizer's own name of a line's end is Ċ."""


@dataclass(frozen=True)
class Candidate:
    """A token that may fill a blank."""

    token: str
    probability: float
    """The model's probability, over its whole vocabulary."""
    text: str
    """The text with this blank filled, and other blanks unchanged."""


@dataclass(frozen=True)
class Blank:
    """A blank and its candidates, the likeliest first."""

    candidates: tuple[Candidate, ...]


@torch.inference_mode()
def unmask(model: AnyModel, text: str, top: int = 5) -> list[Blank]:
    """Find the `top` likeliest words for each blank of a text (`<mask>`, `[MASK]` or `___`).

    Each blank is filled by itself, with one token that isn't special, while the others stay blank. Raises
    HornbookError unless the model is masked, and for a text without a blank or with more tokens than the
    model takes.
    """
    loaded = load(model)
    loaded.need(head="masked")
    refuse_dense(loaded, text)
    parts, vocabulary = cut(text), loaded.vocabulary
    if len(parts) < 2:
        raise HornbookError(f"there is no blank in {text!r:.60}: write <mask> where a word is to be found")
    assert vocabulary.cls is not None and vocabulary.sep is not None and vocabulary.mask is not None
    ids, places = [vocabulary.cls], []
    for number, part in enumerate(encode_documents(loaded.tokenizer, parts)):
        if number:
            places.append(len(ids))
            ids.append(vocabulary.mask)
        ids += part
    ids.append(vocabulary.sep)
    refuse_long(loaded, ids)
    inputs = torch.tensor([ids], device=loaded.model.device)
    hidden = loaded.family.hidden(loaded.model, {"input_ids": inputs})[0, places]
    probabilities = loaded.family.logits(loaded.model, hidden).float().softmax(-1)
    words = torch.from_numpy(vocabulary.words).to(inputs.device)
    best = probabilities[:, words].topk(min(top, len(words)))
    found = [match.span() for match in BLANK.finditer(text)]
    blanks = []
    for (start, end), place, chances, chosen in zip(
        found, places, best.values.tolist(), words[best.indices].tolist(), strict=True
    ):
        candidates = []
        for token, chance in zip(chosen, chances, strict=True):
            filled = written(loaded.tokenizer, ids[:place], [token])
            piece = loaded.tokenizer.convert_ids_to_tokens(token)
            shown = filled.strip() or filled.translate(_VISIBLE) or piece
            candidates.append(Candidate(shown, chance, join(text[:start], filled, text[end:])))
        blanks.append(Blank(tuple(candidates)))
    return blanks
