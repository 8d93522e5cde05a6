"""Styles: which special tokens a tokenizer has, their ids, and their roles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import Literal

from tokenizers import AddedToken, Tokenizer
from transformers import PreTrainedTokenizerBase

Template = Literal["causal", "masked", "pairs", "seq2seq"]
"""What a tokenizer puts around a text; `pairs` is like masked, with a segment type for each text of a pair."""

Head = str
"""What a model learned to do, as its family and objective call it: usually a template's name, but any is allowed."""

BERT_PAIR = "{cls} $A {sep} $B:1 {sep}:1"
"""Two texts as BERT and ALBERT read them, and as the objectives over pairs make them."""
ROBERTA_PAIR = "{cls} $A {sep} {sep} $B {sep}"
"""Two texts as RoBERTa reads them: two separators between them, and only one segment type."""


@dataclass(frozen=True)
class Style:
    """A layout of the vocabulary: `front`, the words, modes and sentinels if there are any, then `back`."""

    front: tuple[str, ...]
    """The tokens at ids 0, 1, 2, ..."""
    roles: Mapping[str, str]
    """The token of each role, under transformers' names: {"pad_token": "<pad>", ...}."""
    back: tuple[str, ...] = ()
    """The tokens at the highest ids."""
    # Not in the repr, which is a part of a cached tokenizer's key: a template doesn't change the vocabulary.
    pair: str = field(default=BERT_PAIR, repr=False)
    """How a masked model reads two texts, $A and $B; the segment type stands after each colon."""

    def layout(
        self, sentinels: int, spaces_are_tokens: bool, modes: Sequence[str] = ()
    ) -> tuple[list[AddedToken], list[AddedToken]]:
        """Return the special tokens before and after the words, in the order of their ids.

        Sentinels descend, as published for T5: <extra_id_0> has the highest id among them. `modes` (UL2's, such as
        [NLU]) stand before them.
        `spaces_are_tokens` says that a word's first piece begins with the space before the word.
        """
        stand_ins = {self.roles.get("mask_token"), *map(sentinel, range(sentinels))}

        def declare(token: str) -> AddedToken:
            return special_token(token, takes_space=spaces_are_tokens and token in stand_ins)

        descending = map(sentinel, reversed(range(sentinels)))
        return list(map(declare, self.front)), list(map(declare, (*modes, *descending, *self.back)))


def _roles(bos: str | None, eos: str | None, **others: str) -> dict[str, str]:
    named = {"bos": bos, "eos": eos, **others}
    return {f"{role}_token": token for role, token in named.items() if token is not None}


_FAIRSEQ = _roles("<s>", "</s>", cls="<s>", sep="</s>", unk="<unk>", pad="<pad>", mask="<mask>")

STYLES: dict[str, Style] = {
    # Hornbook's own, for every head: padding at 0 wastes no row, and a mask at the end moves no other id.
    "shared": Style(("<pad>", "<s>", "</s>", "<unk>"), _FAIRSEQ, ("<mask>",), ROBERTA_PAIR),
    # roberta-base's vocab.json.
    "roberta": Style(("<s>", "<pad>", "</s>", "<unk>"), _FAIRSEQ, ("<mask>",), ROBERTA_PAIR),
    # bert-base's order, without its unused entries in between. BERT has no bos and no eos.
    "bert": Style(
        ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        _roles(None, None, cls="[CLS]", sep="[SEP]", unk="[UNK]", pad="[PAD]", mask="[MASK]"),
    ),
    # albert-base-v2's spiece.model.
    "albert": Style(
        ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"),
        _roles("[CLS]", "[SEP]", cls="[CLS]", sep="[SEP]", unk="<unk>", pad="<pad>", mask="[MASK]"),
    ),
    # gpt-neox-20b's tokenizer.json. It has no unknown token here: GPT's own is the end of text, which would stand in
    # the middle of a text.
    "gpt": Style(
        ("<|endoftext|>", "<|padding|>"), _roles("<|endoftext|>", "<|endoftext|>", pad="<|padding|>")
    ),
    # t5-small's spiece.model.
    "t5": Style(("<pad>", "</s>", "<unk>"), _roles(None, "</s>", unk="<unk>", pad="<pad>")),
}
"""The known styles; a family of another package can bring its own (`Family.styles`)."""


def pair_template(roles: Mapping[str, str]) -> str:
    """Return the form of two texts in the style with the cls and sep of these roles; BERT's if no style has them."""
    for style in STYLES.values():
        if "cls_token" in roles and all(roles[r] == style.roles.get(r) for r in ("cls_token", "sep_token")):
            return style.pair
    return BERT_PAIR


def sentinel(number: int) -> str:
    """Name the sentinel that stands for span `number` of a sequence."""
    return f"<extra_id_{number}>"


def sentinel_ids(tokenizer: Tokenizer | PreTrainedTokenizerBase) -> list[int]:
    """Find the ids of <extra_id_0>, <extra_id_1>, ... by name, up to the first that the vocabulary doesn't have.

    mT5's are pieces of its SentencePiece model, and begin with its sign for a space.
    """
    vocabulary = tokenizer.get_vocab()
    before = "" if sentinel(0) in vocabulary else "\u2581"
    names = (before + sentinel(number) for number in count())
    return [vocabulary[name] for name in takewhile(vocabulary.__contains__, names)]


def special_token(text: str, takes_space: bool) -> AddedToken:
    """Declare a special token that is found in a text exactly as it is written, before the text is normalized.

    `takes_space` makes it include the space before it. A mask or a sentinel needs this if it stands for a piece
    that begins with that space.
    """
    return AddedToken(text, special=True, normalized=False, lstrip=takes_space)
