"""Score minimal pairs with any model: which half it finds likelier, with all that is needed to read the figures."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt

from hornbook.errors import HornbookError, nearest
from hornbook.evaluation.measure import Figure, figure
from hornbook.evaluation.minimal_pairs import left_to_right, masked, text_to_text
from hornbook.evaluation.minimal_pairs.encoding import EncodedPair, both, encode, fits, halves_apart
from hornbook.evaluation.minimal_pairs.figures import Share, grouped, judged, lengths, share
from hornbook.evaluation.minimal_pairs.pair import Paradigm
from hornbook.loading import LoadedModel

UNIT = "% right"

_Score = Callable[
    [LoadedModel, Sequence[EncodedPair], Callable[[float], None] | None], npt.NDArray[np.float64]
]


@dataclass(frozen=True)
class _Rule:
    """A way of scoring: how it is said, what it does, and how many ids of a model's length it leaves for a text."""

    text: str
    score: _Score
    framing: int
    begins: Callable[[LoadedModel], int] | None = None
    """Gives the token that is read before a text."""
    space: bool = False
    """Whether a text has a space before it."""


@dataclass(frozen=True)
class PairsResult:
    """What came out: the figures, and the share of each paradigm."""

    figures: list[Figure]
    paradigms: dict[str, Share]

    def details(self) -> dict[str, Any]:
        """Give the paradigms as plain values."""
        return {name: asdict(one) for name, one in self.paradigms.items()}


def by_halves(scores: Callable[..., npt.NDArray[np.float64]]) -> _Score:
    """Score a pair by the score of its good half less that of the bad one."""

    def differences(
        loaded: LoadedModel, pairs: Sequence[EncodedPair], progress: Callable[[float], None] | None
    ) -> npt.NDArray[np.float64]:
        good, bad = halves_apart(scores(loaded, both(pairs), progress))
        return good - bad

    return differences


_MASKED = {
    "within-word": _Rule(
        "Each token is hidden in turn, with the later tokens of its word, and predicted from all others; the half with "
        "the larger sum of ln p is the answer (Kauf and Ivanova, 2023).",
        by_halves(partial(masked.scores, within_word=True)),
        2,
    ),
    "pseudo-likelihood": _Rule(
        "Each token is hidden in turn and predicted from all others; the half with the larger sum of ln p is the "
        "answer (Salazar et al., 2020).",
        by_halves(partial(masked.scores, within_word=False)),
        2,
    ),
}
_LOG_PROBABILITY = _Rule(
    "Each half is read alone, after {begin}; the half with the larger ln p is the answer.",
    left_to_right.differences,
    0,
    left_to_right.beginning,
)
_HARNESS = _Rule(
    "Each half is read alone, after {begin} and a space, as `lm_eval --model hf` does; the half with the larger ln p "
    "is the answer.",
    partial(left_to_right.differences, begins=left_to_right.harness_beginning),
    0,
    left_to_right.harness_beginning,
    True,
)
_SPANS = _Rule(
    "Each word is cut out in turn, and written in place of a sentinel; the half with the larger sum of ln p is the "
    "answer.",
    by_halves(text_to_text.scores),
    3,
)
_RULES_OF_HEAD: dict[str, dict[str, _Rule]] = {
    "causal": {"log-probability": _LOG_PROBABILITY, "lm-eval": _HARNESS},
    "masked": _MASKED,
    "seq2seq": {"spans": _SPANS},
}
"""The rules by which a head can score, the first of each by default."""


def measure_pairs(
    loaded: LoadedModel,
    title: str,
    paradigms: Sequence[Paradigm],
    rule: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> PairsResult:
    """Score minimal pairs; the figures are the whole, then each larger group, or each paradigm where there are none.

    The `rule` is by default that of the model's head: log-probability for a causal model (or `lm-eval`), within-word
    pseudo-likelihood for a masked one (or `pseudo-likelihood`), spans for a text-to-text one. Pairs that are longer
    than the model are left out, which the figures tell. Raises HornbookError for a model or a rule that doesn't fit,
    where no pair of a paradigm is left, where the tokenizer makes both halves of all of its pairs one, and for
    likelihoods that aren't finite.
    """
    name, chosen = _rule(loaded, rule)
    encoded = [encode(loaded, paradigm.pairs, chosen.space) for paradigm in paradigms]
    kept = [fits(pairs, loaded.length - chosen.framing) for pairs in encoded]
    for paradigm, pairs, fitting in zip(paradigms, encoded, kept, strict=True):
        _check(loaded, title, paradigm, pairs, fitting)
    asked = [pair for pairs, fitting in zip(encoded, kept, strict=True) for pair in compress(pairs, fitting)]
    differences = chosen.score(loaded, asked, progress)
    if wrong := int((~np.isfinite(differences)).sum()):
        raise HornbookError(
            f"{loaded.name} gives no finite likelihood to {wrong:,} of {len(asked):,} pairs: its weights hold NaN, or "
            "are far too large; take an earlier checkpoint"
        )
    right = judged(differences)
    good, bad = np.array([(pair.good.scored, pair.bad.scored) for pair in asked]).T
    ends = np.cumsum([fitting.sum() for fitting in kept])
    by_paradigm = dict(zip((one.name for one in paradigms), np.split(right, ends[:-1]), strict=True))
    scope = _fingerprint(title, paradigms)
    title = title if name == next(iter(_RULES_OF_HEAD[_head(loaded)])) else f"{title} by {name}"
    remarks = _remarks(asked, right, sum(int((~fitting).sum()) for fitting in kept), loaded.length)
    begin, told_of_it = _begin(loaded, chosen)
    told = " ".join([chosen.text.format(begin=begin), *told_of_it, *remarks, lengths(right, good, bad)])
    groups = grouped({one.name: one.groups for one in paradigms}) or {name: [name] for name in by_paradigm}
    wholes = {title: list(by_paradigm)}
    if len(by_paradigm) > 1:
        wholes |= {f"{title}, {group}": members for group, members in groups.items()}
    figures = []
    for measure, members in wholes.items():
        found = share([by_paradigm[member] for member in members])
        over = f"{found.pairs:,} pairs" + (f" of {len(members)} paradigms" if len(members) > 1 else "")
        comparable = (
            "It compares with any model on the same pairs: guessing gets 50. A masked model sees both sides of a word, "
            "so that its rule is another than a causal model's."
        )
        figures.append(
            figure(measure, found.right, UNIT, over, told, comparable)
            | {"low": found.low, "high": found.high, "scope": scope}
        )
    return PairsResult(figures, {name: share([one]) for name, one in by_paradigm.items()})


def _head(loaded: LoadedModel) -> str:
    head = next((head for head in _RULES_OF_HEAD if loaded.serves(head)), None)
    if head is None:
        raise HornbookError(
            f"{loaded.name} is a {loaded.head} model, and minimal pairs need one that predicts words: "
            f"{', '.join(_RULES_OF_HEAD)}"
        )
    return head


def _rule(loaded: LoadedModel, rule: str | None) -> tuple[str, _Rule]:
    rules = _RULES_OF_HEAD[_head(loaded)]
    name = next(iter(rules)) if rule is None else rule
    if name not in rules:
        raise HornbookError(
            f"{loaded.name} is a {loaded.head} model, and no rule {name!r} is for it{nearest(name, list(rules))}"
        )
    return name, rules[name]


def _check(
    loaded: LoadedModel,
    title: str,
    paradigm: Paradigm,
    pairs: Sequence[EncodedPair],
    fitting: npt.NDArray[np.bool_],
) -> None:
    if not fitting.any():
        shortest = min(max(len(pair.good.ids), len(pair.bad.ids)) for pair in pairs)
        raise HornbookError(
            f"{title}, {paradigm.name}: all {len(pairs):,} pairs are longer than {loaded.name}, which takes "
            f"{loaded.length} tokens (the shortest has {shortest}): train with a larger model.length"
        )
    if all(pair.same for pair in pairs):
        first = paradigm.pairs[0]
        raise HornbookError(
            f"{title}, {paradigm.name}: the tokenizer of {loaded.name} turns both halves of all {len(pairs):,} pairs "
            f"into the same ids (such as {first.good.text[:50]!r} and {first.bad.text[:50]!r}): take one that keeps "
            "case, accents and spaces, or leave these pairs out"
        )


def _remarks(
    asked: Sequence[EncodedPair], right: npt.NDArray[np.float64], left_out: int, length: int
) -> list[str]:
    """Tell of pairs that were left out, and of ties."""
    said = []
    if left_out:
        said.append(f"Left out as longer than the model's {length} tokens: {left_out:,}.")
    same, ties = sum(pair.same for pair in asked), int((right == 0.5).sum())
    alike = f"; in {same:,}, both halves have the same ids" if same else ""
    each = " (each half right; lm-evaluation-harness counts them as right)" if ties else ""
    said.append(f"Ties: {ties:,}{each}{alike}.")
    return said


def _begin(loaded: LoadedModel, rule: _Rule) -> tuple[str, list[str]]:
    """Name the token that is read before a text, and say so where that isn't what training did."""
    if rule.begins is None:
        return "", []
    begin, trained = rule.begins(loaded), left_to_right.beginning(loaded)
    one, other = (
        f"{loaded.tokenizer.convert_ids_to_tokens(token)} (id {token})" for token in (begin, trained)
    )
    if begin == trained:
        return one, []
    return one, [f"Beware: in Hornbook's training no document begins after it, but after {other}."]


def _fingerprint(title: str, paradigms: Sequence[Paradigm]) -> str:
    """Name the pairs, so that figures on other pairs never share a column."""
    texts = (half.text for one in paradigms for pair in one.pairs for half in (pair.good, pair.bad))
    known = sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{title}: {sum(len(one.pairs) for one in paradigms):,} pairs ({known[:8]})"
