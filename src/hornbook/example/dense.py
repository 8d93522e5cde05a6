"""A text with dense tokens: what each passes on, and where its words are learned."""

from pathlib import Path

import torch
from torch import Tensor

from hornbook.dense_tokens.folder import open_dense
from hornbook.dense_tokens.layout import Layout
from hornbook.dense_tokens.loss import emission_logit, losses, word_logits
from hornbook.dense_tokens.model import DenseModel, Filled
from hornbook.dense_tokens.vocabulary import context
from hornbook.direction import apart
from hornbook.errors import HornbookError
from hornbook.example.arithmetic import steps_of
from hornbook.example.attention import ranges
from hornbook.example.example import Example
from hornbook.example.parts import Place, Sequence, Term, Token
from hornbook.objectives.arithmetic import judge
from hornbook.tokenizers import VisibleTokens

SENTENCE = "Once upon a time there was a little girl."
"""The text that is shown where none is given."""
_READ = 3
"""How many words of a vector are shown."""
_LESSON = (
    "At a dense token the model reads its own last hidden vector instead of a word, and so thinks one step deeper. Its "
    "loss stands at words alone; whether a dense token or a word comes is a loss of its own."
)

_EMISSION = (
    "`hornbook dense train --emission W` adds W times the sum of the emission loss over the number of words."
)


@torch.no_grad()
def show_dense(folder: Path, text: str | None = None) -> Example:
    """Show a text with dense tokens, each written as its name; without a text, a sample that has some.

    Raises HornbookError for a folder without dense tokens, and for a text that takes more positions than there are.
    """
    model, tokenizer = open_dense(folder)
    model.eval()
    token = model.options.token
    if text is None:
        words = SENTENCE.split()
        text = "".join(
            f"{' ' * (place > 0)}{word}{token * (place % 4 == 3)}" for place, word in enumerate(words)
        )
    numbers = context(tokenizer, text, token)
    ids = torch.tensor([numbers])
    if len(numbers) < 2:
        raise HornbookError(f"the text {text!r} has nothing to predict: give more words")
    layout, names = model.layout(ids), VisibleTokens(tokenizer)
    filled = model(ids, layout)
    terms = _terms(model, filled, ids, layout, names)
    has_one = model.dense_id in numbers
    remark = "" if has_one else f"No {token} is in the text: write it where the model is to think."
    return Example(
        f"{apart(folder.resolve().name)}, dense tokens",
        _LESSON,
        tuple(
            Token(one, name, "dense" if one == model.dense_id else "")
            for one, name in zip(numbers[1:], names.tokens(numbers[1:]), strict=True)
        ),
        (Sequence("Input", names.text(numbers), _places(model, filled, ids, layout, names)),),
        terms,
        terms[0].mean,
        tuple(filter(None, [remark, _EMISSION])),
        {"input_ids": ids},
    )


def _places(
    model: DenseModel, filled: Filled, ids: Tensor, layout: Layout, names: VisibleTokens
) -> tuple[Place, ...]:
    sees = (layout.mask(torch.float32)[0, 0] == 0).numpy()
    numbers, follows = ids[0].tolist(), layout.follows[0].tolist()
    shown = names.tokens(numbers)
    return tuple(
        Place(
            place,
            one,
            shown[place],
            "dense" if layout.dense[0, place] else "special" if place == 0 else "",
            shown[place + 1] if place + 1 < len(numbers) and follows[place + 1] else "",
            None,
            int(layout.positions[0, place]),
            ranges(sees[place]),
            _passed(model, filled, place, names) if layout.fed[0, place] else "",
        )
        for place, one in enumerate(numbers)
    )


def _passed(model: DenseModel, filled: Filled, place: int, names: VisibleTokens) -> str:
    """Say what vector a dense token gets: from where, how long, and which words the head reads in it."""
    logits = word_logits(filled.head(filled.hidden[0, place - 1]).float(), model.dense_id)
    chances, best = logits.softmax(-1).topk(_READ)
    read = ", ".join(
        f"{apart(word)} {chance:.1%}"
        for word, chance in zip(names.tokens(best.tolist()), chances.tolist(), strict=True)
    )
    length = float(filled.vectors[0, place].norm())
    return (
        f"the state of place {place - 1} as a vector of length {length:.3g}, in which the head reads: {read}"
    )


def _terms(
    model: DenseModel, filled: Filled, ids: Tensor, layout: Layout, names: VisibleTokens
) -> tuple[Term, ...]:
    """Compute the words' loss and the emission's by place; their sums are those of training."""
    rows, columns = layout.follows.nonzero(as_tuple=True)
    logits, right = filled.head(filled.hidden[rows, columns - 1]).float(), ids[rows, columns]
    words, dense = right != model.dense_id, (right == model.dense_id).long()
    ahead = emission_logit(logits, model.dense_id)
    by_place = {
        "word loss": judge(
            word_logits(logits[words], model.dense_id), right[words], rows[words], columns[words] - 1
        ),
        "emission loss": judge(
            torch.stack([torch.zeros_like(ahead), ahead], 1), dense, rows, columns - 1, ("a word", "dense")
        ),
    }
    trained = losses(filled, ids, layout, model.dense_id)
    return tuple(
        Term(name, steps_of(one, names), float(kind.sum()), len(one.right), weight, one.choices)
        for (name, one), kind, weight in zip(
            by_place.items(), (trained.words, trained.emission), (1.0, 0.0), strict=True
        )
    )
