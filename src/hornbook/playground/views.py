"""The views of a model: what it makes of a text, drawn as HTML."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from hornbook.dense import generate as think
from hornbook.dense_tokens.folder import has_dense
from hornbook.errors import HornbookError
from hornbook.evaluation.blanks import cut
from hornbook.evaluation.generate import generate
from hornbook.evaluation.infill import infill
from hornbook.evaluation.unmask import unmask
from hornbook.loading import AnyModel, LoadedModel, load
from hornbook.playground.attention import attention_of
from hornbook.playground.next_token import expect

NEXT, ON, GAPS, THOUGHTS, ATTENTION = "Next token", "Goes on", "Gaps", "Dense thoughts", "Attention"
WORDS = 40
"""Tokens that a model writes at most."""

View = Callable[[str], str]


@dataclass(frozen=True)
class Player:
    """A model with the views that it has."""

    name: str
    views: dict[str, View]

    def draw(self, view: str, text: str) -> str:
        """Draw a text in a view; what can't be drawn is told in a sentence."""
        if view not in self.views:
            return _sentence(f"{self.name} has no view “{view}”: it has {', '.join(self.views)}.")
        if not text.strip():
            return _sentence("Type a text.")
        try:
            return self.views[view](text)
        except HornbookError as error:
            return _sentence(str(error))


def player_of(model: AnyModel, trust: bool = False) -> Player:
    """Open a model for the playground. Raises HornbookError as `load_model` does."""
    loaded = load(model, trust)
    if isinstance(model, Path | str) and has_dense(Path(model)):
        views: dict[str, View] = {THOUGHTS: lambda text: _thoughts(Path(model), text)}
    elif loaded.head == "causal":
        views = {NEXT: lambda text: _next(loaded, text), ON: lambda text: _on(loaded, text)}
    elif loaded.serves(head="masked"):
        views = {GAPS: lambda text: _unmasked(loaded, text)}
    else:
        views = {GAPS: lambda text: _infilled(loaded, text)}
    return Player(loaded.name, views | {ATTENTION: lambda text: _attention(loaded, text)})


def _next(loaded: LoadedModel, text: str) -> str:
    found = expect(loaded, text)
    line = "".join(
        f'<span class="hb-token" style="--share: {chance:.3f}" title="{chance:.2%}">{escape(token)}</span>'
        for token, chance in found.tokens
    )
    return (
        f"<p>{line}</p>{_sentence('The more colour a token has, the likelier it was after those before it.')}"
        f"{_bars(found.following, 'What comes next')}"
    )


def _on(loaded: LoadedModel, text: str) -> str:
    written = generate(loaded, text, WORDS, temperature=0, warn=lambda _: None)
    return f"<p>{escape(text)}<mark>{escape(written)}</mark></p>"


def _unmasked(loaded: LoadedModel, text: str) -> str:
    return "".join(
        _bars([(one.token, one.probability) for one in blank.candidates], f"Gap {number}")
        for number, blank in enumerate(unmask(loaded, text, top=8), 1)
    )


def _infilled(loaded: LoadedModel, text: str) -> str:
    return f"<p>{escape(infill(loaded, text).text).replace('⟦', '<mark>').replace('⟧', '</mark>')}</p>"


def _thoughts(folder: Path, text: str) -> str:
    written = think(folder, text, think="every", every=3, tokens=WORDS // 2, temperature=0)
    told = _sentence(
        "After every third word a dense token: marked is which words the head reads in its vector."
    )
    return f"<p>{written._repr_html_()}</p>{told}"


def _attention(loaded: LoadedModel, text: str) -> str:
    """Draw each layer's weights, the mean over its heads, as a square: who looks (rows) at whom (columns)."""
    if loaded.serves(head="masked"):
        text = (loaded.tokenizer.mask_token or "").join(cut(text))
    tokens, weights = attention_of(loaded, text)
    squares = []
    for number, layer in enumerate(weights.mean(1), 1):
        head = "".join(f"<th><span>{escape(token)}</span></th>" for token in tokens)
        rows = "".join(
            f"<tr><th>{escape(token)}</th>"
            + "".join(f'<td style="--share: {one:.3f}" title="{one:.1%}"></td>' for one in row)
            + "</tr>"
            for token, row in zip(tokens, layer, strict=True)
        )
        squares.append(
            f'<figure><figcaption>Layer {number}</figcaption><table class="hb-square"><tr><th></th>{head}</tr>{rows}'
            "</table></figure>"
        )
    told = _sentence(
        "Each row says where a token looks, as the mean over a layer's heads; a row adds up to 100 %."
    )
    return f'{told}<div class="hb-squares">{"".join(squares)}</div>'


def _bars(rows: Sequence[tuple[str, float]], title: str) -> str:
    """Draw words with their probabilities as bars."""
    drawn = "".join(
        f'<tr><td>{escape(word)}</td><td>{chance:.1%}</td><td><i style="--share: {chance:.3f}"></i></td></tr>'
        for word, chance in rows
    )
    return f'<h4>{escape(title)}</h4><table class="hb-bars">{drawn}</table>'


def _sentence(text: str) -> str:
    return f'<p class="hb-told">{escape(text)}</p>'
