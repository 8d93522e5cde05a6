"""The pieces of a tokenizer's model: which of them can be removed, and the model without them."""

import json
import re
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers

from hornbook.errors import HornbookError

_BYTE = re.compile("<0x[0-9A-F]{2}>")


class Pieces(ABC):
    """The pieces of a tokenizer's model. Added tokens aren't pieces, and are never removed here."""

    def __init__(self, rust: Tokenizer) -> None:
        self.rust = Tokenizer.from_str(rust.to_str())
        self.added = {token.content for token in rust.get_added_tokens_decoder().values()}
        self.state: dict[str, Any] = json.loads(rust.to_str())["model"]
        del self.state["type"]

    @cached_property
    def ids(self) -> dict[str, int]:
        """Each piece's id, in the order of the ids."""
        return dict(sorted(self.state["vocab"].items(), key=lambda item: item[1]))

    @property
    def unknown(self) -> str | None:
        """The token for text that the pieces can't spell; None if the model needs none."""
        return self.state["unk_token"]

    @cached_property
    def reached(self) -> set[str]:
        """Find the pieces that some text is split into: those that the model doesn't split.

        In BPE and Unigram, a piece that is split when it stands alone is also split in every word.
        """
        return {
            piece
            for piece in self.ids
            if piece not in self.added and [part.value for part in self.rust.model.tokenize(piece)] == [piece]
        }

    @property
    def unreached(self) -> list[str]:
        """The pieces that no text is split into, in the order of their ids; without letters and bytes."""
        kept = self.reached | self.added
        return [piece for piece in self.ids if piece not in kept and not self._is_letter(piece)]

    def removable(self) -> Iterator[str]:
        """Yield the pieces that can be removed, in the order to remove them: unreachable ones first.

        Letters and bytes are never among them. The first n pieces can be removed together, for any n.
        """
        yield from (piece for piece in reversed(self.unreached) if piece != self.unknown)
        yield from self._removable_if_reached()

    @abstractmethod
    def _removable_if_reached(self) -> Iterator[str]: ...

    @abstractmethod
    def rebuild(self, ids: Mapping[str, int], rename: Mapping[str, str]) -> models.Model:
        """Make the model in which these tokens, and no others, have these ids (0 to len(ids) - 1)."""

    def parts(self, model: models.Model, piece: str) -> tuple[str, ...]:
        """Split a removed piece as `model` does."""
        return tuple(part.value for part in model.tokenize(piece))

    def _is_letter(self, piece: str) -> bool:
        return len(piece) == 1 or _BYTE.fullmatch(piece) is not None


class BPEPieces(Pieces):
    """Pieces that merges make: those learnt last are removed first, with their merges."""

    def __init__(self, rust: Tokenizer) -> None:
        super().__init__(rust)
        self.rust.model.dropout = None  # pieces must be split as in use, not at random
        self._prefix = self.state["continuing_subword_prefix"] or ""
        self._suffix = self.state["end_of_word_suffix"] or ""

    @property
    def unknown(self) -> str | None:
        """None if all 256 bytes are pieces: then nothing is unknown, whatever the model declares."""
        complete = self.state["vocab"].keys() >= set(pre_tokenizers.ByteLevel.alphabet())
        return None if complete else self.state["unk_token"]

    @cached_property
    def reached(self) -> set[str]:
        """Find the pieces that some text is split into.

        If pieces have a prefix or suffix for their place in the word, they can't be split alone. Then all pieces count
        that the merges can make from letters.
        """
        if not (self._prefix or self._suffix):
            return super().reached
        found = {piece for piece in self.ids if self._is_letter(piece)} - self.added
        before = -1
        while before < len(found):
            before = len(found)
            found |= {self._product(*pair) for pair in self.state["merges"] if found.issuperset(pair)}
        return found

    def _removable_if_reached(self) -> Iterator[str]:
        """Yield the pieces that no remaining merge uses, latest merge first.

        In a trained BPE, this is the list of merges from its end, since a merge only uses earlier products.
        """
        made: dict[str, list[tuple[str, str]]] = defaultdict(list)
        ranks: dict[str, int] = {}
        uses: Counter[str] = Counter()
        for rank, (left, right) in enumerate(self.state["merges"]):
            product = self._product(left, right)
            if self.reached.issuperset((left, right, product)) and not self._is_letter(product):
                made[product].append((left, right))
                ranks.setdefault(product, rank)
                uses.update((left, right))
        leaves = [(-rank, piece) for piece, rank in ranks.items() if not uses[piece]]
        heapify(leaves)
        while leaves:
            _, piece = heappop(leaves)
            yield piece
            for part in (part for pair in made[piece] for part in pair):
                uses[part] -= 1
                if not uses[part] and part in ranks:
                    heappush(leaves, (-ranks[part], part))

    def rebuild(self, ids: Mapping[str, int], rename: Mapping[str, str]) -> models.Model:
        """Keep each merge whose left, right and product are all there."""
        unknown = rename.get(self.state["unk_token"], self.state["unk_token"])
        merges = [
            pair
            for left, right in self.state["merges"]
            if ids.keys() >= {*(pair := (left, right)), self._product(left, right)}
        ]
        state = self.state | {
            "vocab": dict(ids),
            "merges": merges,
            "unk_token": unknown if unknown in ids else None,
        }
        return models.BPE(**{name: value for name, value in state.items() if value is not None})

    def _product(self, left: str, right: str) -> str:
        return left + right[len(self._prefix) :]

    def _is_letter(self, piece: str) -> bool:
        return super()._is_letter(piece.removeprefix(self._prefix).removesuffix(self._suffix))


class WordPiecePieces(Pieces):
    """Pieces that are matched longest first: those with the highest ids were learnt last, and are removed first."""

    def __init__(self, rust: Tokenizer) -> None:
        super().__init__(rust)
        self._inner = self.state["continuing_subword_prefix"]

    @cached_property
    def reached(self) -> set[str]:
        """Find the pieces whose letters can stand in one word; those of BERT's `[unused0]` can't."""
        return {piece for piece in self.ids if piece not in self.added and self._is_one_word(piece)}

    def _is_one_word(self, piece: str) -> bool:
        text = piece.removeprefix(self._inner) or piece
        if self.rust.normalizer and self.rust.normalizer.normalize_str(text) != text:
            return False
        words = (
            self.rust.pre_tokenizer.pre_tokenize_str(text) if self.rust.pre_tokenizer else [(text, (0, 0))]
        )
        return [word for word, _ in words] == [text]

    def _removable_if_reached(self) -> Iterator[str]:
        """Skip the pieces that can't be spelt in letters: without them, their words would become unknown."""
        for piece in reversed(self.ids):
            letters = piece.removeprefix(self._inner)
            if piece not in self.reached or piece == self.unknown or self._is_letter(piece):
                continue
            first = self._inner + letters[0] if piece.startswith(self._inner) else letters[0]
            if self.ids.keys() >= {first, *(self._inner + letter for letter in letters[1:])}:
                yield piece

    def rebuild(self, ids: Mapping[str, int], rename: Mapping[str, str]) -> models.Model:
        """Keep the pieces that have an id."""
        unknown = rename.get(self.state["unk_token"], self.state["unk_token"])
        return models.WordPiece(**(self.state | {"vocab": dict(ids), "unk_token": unknown}))

    def parts(self, model: models.Model, piece: str) -> tuple[str, ...]:
        """Split a piece, which may stand inside a word; the model itself splits only whole words."""
        if not piece.startswith(self._inner):
            return super().parts(model, piece)
        found, start = [], len(self._inner)
        while start < len(piece):
            ends = range(len(piece), start, -1)
            end = next(
                (end for end in ends if model.token_to_id(self._inner + piece[start:end]) is not None), 0
            )
            if not end:
                return (model.unk_token,)  # type: ignore[attr-defined]
            found.append(self._inner + piece[start:end])
            start = end
        return tuple(found)

    def _is_letter(self, piece: str) -> bool:
        return super()._is_letter(piece.removeprefix(self._inner))


class UnigramPieces(Pieces):
    """Pieces with log probabilities: the least likely are removed first."""

    @cached_property
    def ids(self) -> dict[str, int]:
        """Each piece's id, in the order of the ids."""
        return {piece: place for place, (piece, _) in enumerate(self.state["vocab"])}

    @property
    def unknown(self) -> str | None:
        """The piece at `unk_id`."""
        place = self.state["unk_id"]
        return None if place is None else self.state["vocab"][place][0]

    def _removable_if_reached(self) -> Iterator[str]:
        scores, ids = dict(self.state["vocab"]), self.ids
        for piece in sorted(ids, key=lambda piece: (scores[piece], -ids[piece])):
            if piece in self.reached and piece != self.unknown and not self._is_letter(piece):
                yield piece

    def rebuild(self, ids: Mapping[str, int], rename: Mapping[str, str]) -> models.Model:
        """Give new tokens the lowest of the old scores.

        The model computes an unknown letter's score from the lowest score, so this one has to stay.
        """
        scores = {rename.get(piece, piece): score for piece, score in self.state["vocab"]}
        lowest = min(scores.values())
        entries = [(piece, scores.get(piece, lowest)) for piece in sorted(ids, key=ids.__getitem__)]
        unknown = None if self.unknown is None else ids[rename.get(self.unknown, self.unknown)]
        return models.Unigram(entries, unknown, self.state["byte_fallback"])


_KINDS: dict[type, type[Pieces]] = {
    models.BPE: BPEPieces,
    models.WordPiece: WordPiecePieces,
    models.Unigram: UnigramPieces,
}


def take_apart(rust: Tokenizer) -> Pieces:
    """Read a tokenizer's pieces; raises HornbookError for a kind that isn't BPE, WordPiece or Unigram."""
    kind = type(rust.model)
    if kind not in _KINDS:
        raise HornbookError(
            f"a {kind.__name__} tokenizer can't be re-indexed: take a BPE, WordPiece or Unigram one"
        )
    return _KINDS[kind](rust)
