"""An example as headings, sentences, lines of tokens and tables: what a terminal and a page draw alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from hornbook.example.parts import Kind, Place, Sequence, Term, Token

_BECAME = {"mask": "mask", "random": "random", "kept": "kept"}


@dataclass(frozen=True)
class Mark:
    """Some text, what is special about it, and what stands small beside it."""

    text: str
    kind: Kind = ""
    small: str = ""


@dataclass(frozen=True)
class Block:
    """A heading and what stands under it; what is empty isn't drawn."""

    heading: str
    sentences: tuple[str, ...] = ()
    line: tuple[Mark, ...] = ()
    """Tokens one after the other."""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Mark, ...], ...] = ()
    closing: tuple[str, ...] = ()
    """Sentences after the table."""
    sees: tuple[tuple[tuple[int, int], ...], ...] = ()
    """For each place the ranges that it sees: a page draws them as a square."""


def text_block(text: tuple[Token, ...]) -> Block:
    """Show the text's tokens, with their ids."""
    hidden = sum(token.kind == "hidden" for token in text)
    told = f"{len(text)} tokens" + (f", {hidden} of them hidden" if hidden else "")
    line = tuple(Mark(token.token, token.kind, str(token.id)) for token in text)
    return Block("Text", (f"{told}. Beside each stands its id.",), line)


def batch_block(batch: Mapping[str, Tensor]) -> Block:
    """Name the tensors that the model gets."""
    return Block("Batch", tuple(f"{name}: shape {tuple(one.shape)}" for name, one in batch.items()))


def sequence_block(sequence: Sequence) -> Block:
    """Show what stands at each place; what one rule says of all places, in a sentence."""
    places = sequence.places
    columns: dict[str, list[Mark]] = {
        "place": [Mark(str(one.place)) for one in places],
        "token": [Mark(one.token, one.kind) for one in places],
        "id": [Mark(str(one.id)) for one in places],
        "became": [Mark(_BECAME.get(one.kind, "")) for one in places],
        "segment": [Mark("" if one.segment is None else str(one.segment)) for one in places],
        "position": [Mark(str(one.position)) for one in places],
        "sees": [Mark(_ranges(one.sees)) for one in places],
        "predicts": [Mark(one.predicts) for one in places],
    }
    sentences = []
    for column, said in (
        ("segment", _segments(places)),
        ("position", _positions(places)),
        ("sees", _sees(places)),
    ):
        if said:
            sentences.append(said)
            del columns[column]
    return Block(
        sequence.name,
        (sequence.text, f"{len(places)} places.", *sequence.remarks, *sentences),
        (),
        *_table(columns),
        tuple(f"Place {one.place} gets {one.passes}." for one in places if one.passes),
        tuple(one.sees for one in places),
    )


def _segments(places: Iterable[Place]) -> str:
    """Say the segment in a sentence, where it is the same everywhere."""
    found = {one.segment for one in places}
    return "" if len(found) > 1 or None in found else f"Segments: all {found.pop()}."


def _positions(places: tuple[Place, ...]) -> str:
    """Say the positions in a sentence, where they count up or there are none."""
    first = places[0].position
    if first is None:
        return "Positions: no table; places are told apart by how far they are from each other."
    if [one.position for one in places] == list(range(first, first + len(places))):
        return f"Positions: {first} to {first + len(places) - 1}."
    return ""


def _sees(places: tuple[Place, ...]) -> str:
    """Say what attention may look at in a sentence, where one rule holds for all places."""
    if all(one.sees == ((0, one.place),) for one in places):
        return "Attention: each place sees itself and all before it."
    if len({one.sees for one in places}) == 1 and places[0].sees:
        return f"Attention: each place sees the places {_ranges(places[0].sees)}."
    return ""


def _ranges(ranges: Iterable[tuple[int, int]]) -> str:
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in ranges)


def term_block(term: Term) -> Block:
    """Show a term of the loss place by place, with its sum and its mean."""
    steps = term.steps
    columns = {
        "place": [Mark(str(one.place)) for one in steps],
        "right": [Mark(one.right) for one in steps],
        "read": [Mark(one.read) for one in steps],
        "log-sum-exp": [Mark(f"{one.total:.4f}") for one in steps],
        "- logit": [Mark(f"{one.logit:.4f}") for one in steps],
        "= -ln p": [Mark(f"{one.nats:.4f}") for one in steps],
        "p": [Mark(f"{100 * one.probability:.3g}%") for one in steps],
        "likeliest": [Mark(one.best) for one in steps],
    }
    sentences = (
        f"Logits: shape ({term.count}, {term.choices}), a row for each place and a number for each choice.",
        "-ln p of what is right = the log-sum-exp of the row, less the right one's logit.",
    )
    return Block(_capital(term.name), sentences, (), *_table(columns), (_mean(term),))


def _table(columns: dict[str, list[Mark]]) -> tuple[tuple[str, ...], tuple[tuple[Mark, ...], ...]]:
    """Turn columns into rows, without those that are empty."""
    filled = {name: column for name, column in columns.items() if any(one.text for one in column)}
    return tuple(filled), tuple(zip(*filled.values(), strict=True))


def _mean(term: Term) -> str:
    places = "place" if term.count == 1 else "places"
    return f"Sum {term.sum:.4f} over {term.count} {places} = {term.mean:.4f} nats a place."


def loss_block(terms: tuple[Term, ...], loss: float) -> Block:
    """Say how the terms come to the loss."""
    told = []
    for term in terms:
        if not term.steps:
            kind = "its places aren't shown" if term.weight else "watched, not learned"
            told.append(f"{_capital(term.name)}: {term.sum:.4g} of {term.count} = {term.mean:.4g} ({kind}).")
    parts = " + ".join(f"{term.weight:g} × {term.mean:.4f}" for term in terms if term.weight)
    told.append(
        f"{parts} = {loss:.4f} nats: the loss that training computes for this batch, in fp32 and without dropout."
    )
    return Block("Loss", tuple(told))


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
