"""Tokens as people can read them: no alphabet of bytes, and nothing that acts on a terminal."""

import json
import unicodedata
from collections.abc import Sequence

from tokenizers import decoders
from transformers import PreTrainedTokenizerBase

from hornbook.tokenizers.identity import backend
from hornbook.tokenizers.style import sentinel_ids

_BYTES = decoders.ByteLevel()
_SHOWN = {"\n": "⏎", "\r": "⏎", "\t": "⇥", " ": "▁"}


def visible(text: str) -> str:
    """Write spaces as ▁ and line ends as ⏎; other characters without a shape of their own become their number."""
    return "".join(_SHOWN.get(one) or inert(one) for one in text)


def inert(text: str) -> str:
    """Write what would steer a terminal, or turn the direction of writing, as its number: ⟨1B⟩."""
    return "".join(f"⟨{ord(one):X}⟩" if unicodedata.category(one) in ("Cc", "Cf") else one for one in text)


class VisibleTokens:
    """A tokenizer's ids, as people read them."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._special = {*tokenizer.all_special_ids, *sentinel_ids(tokenizer)}
        state = json.loads(backend(tokenizer).to_str())
        self._bytes = "ByteLevel" in json.dumps([state["pre_tokenizer"], state["decoder"]])

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """Write each id's token: with ▁ for a space before a word, with ## where WordPiece goes on with a word."""
        return [self._token(one, piece) for one, piece in zip(ids, self._pieces(ids), strict=True)]

    def text(self, ids: Sequence[int]) -> str:
        """Write ids as one text, in which each special token stands alone: "The <extra_id_0> ruined my sleep"."""
        parts, run = [], list[int]()
        for one in [*ids, None]:
            if one is not None and one not in self._special:
                run.append(one)
                continue
            parts.append(self._tokenizer.decode(run).strip() if run else "")
            parts += [] if one is None else self._pieces([one])
            run = []
        return inert(" ".join(filter(None, parts)))

    def _token(self, one: int, piece: str) -> str:
        text = _BYTES.decode([piece]) if self._bytes and one not in self._special else piece
        # A part of a character has no text: it keeps its name in the alphabet of bytes.
        return visible(piece if "\ufffd" in text else text)

    def _pieces(self, ids: Sequence[int]) -> list[str]:
        found = self._tokenizer.convert_ids_to_tokens(list(ids))
        # A model may have more rows than its tokenizer has tokens.
        return [f"⟨id {one}⟩" if piece is None else piece for one, piece in zip(ids, found, strict=True)]
