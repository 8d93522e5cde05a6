"""Re-index a tokenizer: give its special tokens other ids, and keep all letters and the vocabulary's size."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import count, groupby, islice

from tokenizers import AddedToken, Tokenizer, models
from transformers import PreTrainedTokenizerBase

from hornbook.errors import HornbookError, nearest
from hornbook.tokenizers.identity import backend
from hornbook.tokenizers.style import STYLES, Style, sentinel, special_token
from hornbook.tokenizers.surgery import Pieces, take_apart

_SENTINEL = sentinel(0).removesuffix("0>")


@dataclass(frozen=True)
class Reindexed:
    """A tokenizer with other ids, and what became of the old ones."""

    tokenizer: Tokenizer
    """The new tokenizer, without a template: `build_fast_tokenizer` adds it."""
    mapping: dict[int, int | None]
    """The new id of each old id; None for a dropped token."""
    moved: dict[str, tuple[int, int]]
    """Old and new id of the tokens whose id changed, under their new names."""
    dropped: dict[str, tuple[str, ...]]
    """The tokens that each dropped token's text is split into now; empty for special tokens."""
    added: dict[str, int]
    """The new tokens' ids."""
    renamed: dict[str, str]
    """The new names of the tokens that have one."""


def reindex(
    tokenizer: Tokenizer | PreTrainedTokenizerBase,
    places: Mapping[str, int],
    rename: Mapping[str, str] | None = None,
    drop: Collection[str] = (),
) -> Reindexed:
    """Put special tokens at `places` (token to id; -1 is the last id); the number of ids stays the same.

    Special tokens without a place stay; `rename` (old to new name) gives them new names, and only `drop` removes them.
    A token whose id is given to another token moves to a free id. If there are too few ids, pieces are removed: first
    those that no text is split into, then those that were learnt last (see `surgery`). Letters and bytes stay. If
    dropped tokens leave ids free, `<unused_0>`, ... take them. `tokenizer` itself isn't changed.

    A word whose tokens all stay keeps them, under their new ids. How a word with a dropped token is split now depends
    on the kind. BPE: the two parts from which the token was merged replace it, or their own parts if they are dropped
    too; the rest of the word stays the same. WordPiece: the word is matched again with the remaining pieces, longest
    piece first; this can also change its later tokens, and it becomes unknown only if one of its letters has no piece.
    Unigram: the word gets the likeliest split into the remaining pieces, under the old scores; this can also change
    the neighbours of the token.

    Raises HornbookError for places outside the vocabulary or given twice, for names that are pieces of words, for
    tokens that can't be dropped (pieces, tokens with a place or a new name, the unknown token), and when too few pieces
    can be removed.
    """
    rust = Tokenizer.from_str(backend(tokenizer).to_str())
    rename = dict(rename or {})
    pieces = take_apart(rust)
    old = dict(sorted(rust.get_vocab().items(), key=lambda item: item[1]))
    size = max(old.values()) + 1
    fixed = _fixed(places, size)
    added = {token.content: token for token in rust.get_added_tokens_decoder().values()}
    _check(pieces, old, fixed, rename)
    _check_dropped(pieces, {token for token in added if added[token].special}, {*fixed, *rename}, drop)
    names = {token: rename.get(token, token) for token in old if token not in drop}
    new = sorted(fixed.keys() - names.values(), key=fixed.__getitem__)
    room = size - len(names) - len(new)
    removed = _to_remove(pieces, fixed, rename, -room)
    for piece in removed:
        del names[piece]
    fillers = list(islice((name for n in count() if (name := f"<unused_{n}>") not in old), max(room, 0)))

    ids = _assign({names[token]: i for token, i in old.items() if token in names}, fixed, fillers, size)
    model = pieces.rebuild(ids, rename)
    built = _build(rust, model, added, [*new, *fillers, *fixed, *rename.values()], names)
    return Reindexed(
        tokenizer=built,
        mapping={i: ids[names[token]] if token in names else None for token, i in old.items()},
        moved={name: (old[t], ids[name]) for t, name in names.items() if old[t] != ids[name]},
        dropped={t: () if t in added else pieces.parts(model, t) for t in old if t not in names},
        added={token: ids[token] for token in (*new, *fillers)},
        renamed=rename,
    )


def places_of(style: Style, sentinels: int = 0) -> dict[str, int]:
    """Return the places of a style's special tokens: from 0 on, and from -1 backwards."""
    front, back = style.layout(sentinels, spaces_are_tokens=True)
    places = {token.content: place for place, token in enumerate(front)}
    return places | {token.content: place - len(back) for place, token in enumerate(back)}


def _fixed(places: Mapping[str, int], size: int) -> dict[str, int]:
    """Count negative places from the end."""
    fixed: dict[str, int] = {}
    for token, place in places.items():
        if not token:
            raise HornbookError(f"place {place} is given to a token without a name: name it")
        if not -size <= place < size:
            raise HornbookError(
                f"{token} is given place {place}, but the vocabulary has ids 0 to {size - 1}: choose one of them, "
                "or count from the end, where -1 is the last"
            )
        other = next((t for t, taken in fixed.items() if taken == place % size), None)
        if other:
            raise HornbookError(f"{other} and {token} are both given place {place % size}: move one of them")
        fixed[token] = place % size
    return fixed


def _check(
    pieces: Pieces, old: Mapping[str, int], fixed: Mapping[str, int], rename: Mapping[str, str]
) -> None:
    """Refuse places and names that would break words, or lose a token that is still needed."""
    for token in (*fixed, *rename):
        if token in pieces.reached:
            raise HornbookError(
                f"{token} is a piece that words are split into, and only special tokens can have a place or a "
                "new name: choose another token"
            )
    for token, name in rename.items():
        if token not in old:
            known = [special for special in pieces.added if special in old]
            raise HornbookError(
                f"{token} can't be renamed, since the vocabulary doesn't have it{nearest(token, sorted(known))}"
            )
        if name in old or not name or list(rename.values()).count(name) > 1:
            raise HornbookError(f"{token} can't be renamed to {name!r}, which is taken: choose another name")
        if token in fixed:
            raise HornbookError(
                f"{token} has a place and is renamed to {name}: give the place {fixed[token]} to {name}"
            )


def _check_dropped(pieces: Pieces, special: set[str], used: set[str], drop: Collection[str]) -> None:
    """Refuse to drop a token that isn't special, or is needed."""
    for token in drop:
        if token not in special:
            raise HornbookError(
                f"{token} can't be dropped, since it isn't a special token{nearest(token, sorted(special))}: "
                "pieces of words make room by themselves"
            )
        if token in used:
            raise HornbookError(
                f"{token} can't be dropped, since it also has a place or a new name: choose one of them"
            )
        if token == pieces.unknown:
            raise HornbookError(
                f"{token} can't be dropped, since it stands for what the vocabulary can't spell: keep it, or rename "
                f"it ({token}=<unk>)"
            )


def _to_remove(pieces: Pieces, fixed: Mapping[str, int], rename: Mapping[str, str], needed: int) -> list[str]:
    """Choose the pieces to remove."""
    wanted = (p for p in pieces.removable() if p not in pieces.added and p not in fixed and p not in rename)
    removed = list(islice(wanted, max(needed, 0)))
    if len(removed) < needed:
        raise HornbookError(
            f"{needed} pieces must be removed, but only {len(removed)} can be, since letters and bytes stay: give "
            f"a place to {needed - len(removed)} fewer tokens"
        )
    return removed


def _assign(
    kept: Mapping[str, int], fixed: Mapping[str, int], fillers: Iterable[str], size: int
) -> dict[str, int]:
    """Keep each token's id, unless it is given a place or its id is given away; the rest take the free ids."""
    ids = dict(fixed)
    taken = set(fixed.values())
    stay = {name: i for name, i in kept.items() if name not in fixed and i not in taken}
    displaced = [name for name, i in kept.items() if name not in fixed and i in taken]
    ids |= stay
    free = sorted(set(range(size)) - taken - set(stay.values()))
    ids |= zip([*displaced, *fillers], free, strict=True)
    return dict(sorted(ids.items(), key=lambda item: item[1]))


def _build(
    rust: Tokenizer,
    model: models.Model,
    added: Mapping[str, AddedToken],
    special: Iterable[str],
    names: Mapping[str, str],
) -> Tokenizer:
    """Put the rest of the old tokenizer around the new model; added tokens that stay are found as before."""
    built = Tokenizer(model)
    for part in ("normalizer", "pre_tokenizer", "decoder"):
        if getattr(rust, part) is not None:
            setattr(built, part, getattr(rust, part))
    spaces_are_tokens = not isinstance(model, models.WordPiece)
    masks = {style.roles.get("mask_token") for style in STYLES.values()}
    stays = {token: added[token] for token in added if names.get(token) == token}

    def declared(token: str) -> AddedToken:
        takes_space = spaces_are_tokens and (token in masks or token.startswith(_SENTINEL))
        return stays.get(token) or special_token(token, takes_space)

    # Neighbours of one sort are added in one call: each call rebuilds the search for added tokens in a text.
    tokens = map(declared, dict.fromkeys((*stays, *special)))
    for is_special, group in groupby(tokens, key=lambda token: token.special):
        (built.add_special_tokens if is_special else built.add_tokens)(list(group))
    return built
