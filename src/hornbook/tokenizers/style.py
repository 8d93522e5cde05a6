"""Styles: which special tokens a tokenizer has, at which ids, and what each of them is for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import Literal

from tokenizers import AddedToken, Tokenizer
from transformers import PreTrainedTokenizerBase

Template = Literal["causal", "masked", "pairs", "seq2seq"]
"""What a tokenizer puts around a text; `pairs` is the masked one that also tells the segments of a pair apart."""

Head = str
"""What a model learned to do, as its family and its objective call it: mostly a template's name, but any will do."""

BERT_PAIR = "{cls} $A {sep} $B:1 {sep}:1"
"""Two texts as BERT and ALBERT read them, and as the objectives over pairs make them."""
ROBERTA_PAIR = "{cls} $A {sep} {sep} $B {sep}"
"""Two texts as RoBERTa reads them: the separator twice between them, and no second type of segment."""


@dataclass(frozen=True)
class Style:
    """A layout of special tokens: `front`, the words, modes and sentinels where there are any, `back`."""

    front: tuple[str, ...]
    """The tokens at ids 0, 1, 2, ..."""
    roles: Mapping[str, str]
    """The token that plays each role, under transformers' names of them: {"pad_token": "<pad>", ...}."""
    back: tuple[str, ...] = ()
    """The tokens at the highest ids."""
    # Left out of the repr, by which trained tokenizers are found again: a template changes no vocabulary.
    pair: str = field(default=BERT_PAIR, repr=False)
    """How a masked model reads two texts, $A and $B, with the type of segment behind each colon."""

    def layout(
        self, sentinels: int, spaces_are_tokens: bool, modes: Sequence[str] = ()
    ) -> tuple[list[AddedToken], list[AddedToken]]:
        """Give the special tokens before and after the words, in the order of their ids.

        Sentinels descend, as published for T5: <extra_id_0> has the highest id among them. `modes` (UL2's, such as
        [NLU]) stand before them.
        `spaces_are_tokens` tells that a word's piece begins with the space before the word.
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
    # Ours, for every head: padding at 0 wastes no row, and a mask at the end leaves the ids before it alone.
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
    # gpt-neox-20b's tokenizer.json. No unknown token: an end of text in the middle of a text would be worse.
    "gpt": Style(
        ("<|endoftext|>", "<|padding|>"), _roles("<|endoftext|>", "<|endoftext|>", pad="<|padding|>")
    ),
    # t5-small's spiece.model.
    "t5": Style(("<pad>", "</s>", "<unk>"), _roles(None, "</s>", unk="<unk>", pad="<pad>")),
}


def pair_template(roles: Mapping[str, str]) -> str:
    """Give the form of two texts that belongs to the cls and sep of these roles; BERT's where no style has them."""
    for style in STYLES.values():
        if "cls_token" in roles and all(roles[r] == style.roles.get(r) for r in ("cls_token", "sep_token")):
            return style.pair
    return BERT_PAIR


def sentinel(number: int) -> str:
    """Name the sentinel that stands for span `number` of a sequence."""
    return f"<extra_id_{number}>"


def sentinel_ids(tokenizer: Tokenizer | PreTrainedTokenizerBase) -> list[int]:
    """Find the ids of <extra_id_0>, <extra_id_1>, ... by name, as far as they are in the vocabulary.

    mT5's are pieces of its SentencePiece model, and begin with its sign for a space.
    """
    vocabulary = tokenizer.get_vocab()
    before = "" if sentinel(0) in vocabulary else "\u2581"
    names = (before + sentinel(number) for number in count())
    return [vocabulary[name] for name in takewhile(vocabulary.__contains__, names)]


def special_token(text: str, takes_space: bool) -> AddedToken:
    """Declare a special token, found in text as it is written, whatever the normalizer does.

    `takes_space` lets it swallow the space before it: so a mask or a sentinel must where it stands for a
    piece that begins with that space.
    """
    return AddedToken(text, special=True, normalized=False, lstrip=takes_space)
