"""Hornbook's own measures, and those that other packages register (`hornbook.measures`)."""

from typing import get_args

from hornbook.evaluation.bits_per_byte import bits_per_byte
from hornbook.evaluation.heldout_loss import heldout_loss
from hornbook.evaluation.measure import BITS, NATS, Figure, Heldout, Measure, Progress, figure, lossy, over
from hornbook.evaluation.pseudo_likelihood import pseudo_likelihood
from hornbook.objectives import Reading
from hornbook.registry import Registry


class Loss(Measure):
    """The objective's own loss, or each of its terms if there are several."""

    name = "loss"
    reads = frozenset[Reading](get_args(Reading))

    def measure(self, heldout: Heldout, tell: Progress) -> list[Figure]:
        """Average the loss over windows or pairs of the held-out part; a term without labels has no figure."""
        loaded, objective = heldout.loaded, heldout.objective
        first = next(iter(objective.terms))
        found = heldout_loss(
            loaded, objective, heldout.store, heldout.windows, lambda share: tell(first, share)
        )
        spread = "" if found.windows == found.available else f", spread evenly over {found.available:,}"
        rule = f"The objective is {objective.describe()}, at the same places every time."
        comparable = "It compares with models of the same objective, tokenizer and length on the same text."
        return [
            figure(
                name,
                term.mean,
                "share" if name.endswith("accuracy") else NATS,
                f"{found.windows:,} {objective.examples(loaded.length)}{spread}: {term.labels:,} labels",
                rule,
                comparable,
            )
            | ({"baseline": found.frequencies} if name == first and found.frequencies else {})
            for name, term in found.terms.items()
            if term.labels
        ]


class BitsPerByte(Measure):
    """How well a causal model predicts whole documents, in the direction in which it reads."""

    name = "bits_per_byte"
    reads = frozenset[Reading]({"left to right", "right to left"})

    def measure(self, heldout: Heldout, tell: Progress) -> list[Figure]:
        """Read each document alone."""
        loaded, texts = heldout.loaded, heldout.texts
        backwards = heldout.objective.reading == "right to left"
        store = heldout.store.turned() if backwards else heldout.store
        found = bits_per_byte(loaded, store, heldout.documents, lambda share: tell("bits per byte", share))
        rule = (
            f"Each document is read alone{', from right to left' if backwards else ''}, from an end token on, and "
            f"{'one more' if backwards else 'its own'} end token counts too. "
            f"One of more than {loaded.length} tokens is read in windows of that length that overlap by "
            "half, and each token is predicted once."
        )
        if not heldout.objective.whole_text:
            rule += " The training, of another objective, never asked for that."
        comparable = "It compares with any causal model on the same text, whatever its tokenizer and length."
        comparable += lossy(loaded, texts)
        return [figure("bits per byte", found.bits_per_byte, BITS, over(found, len(texts)), rule, comparable)]


class PseudoLikelihood(Measure):
    """How well a masked model predicts each token from all others."""

    name = "pseudo_likelihood"
    reads = frozenset[Reading]({"both ways"})

    def measure(self, heldout: Heldout, tell: Progress) -> list[Figure]:
        """Read the beginnings of documents."""
        loaded, texts = heldout.loaded, heldout.texts
        found = pseudo_likelihood(loaded, texts, progress=lambda share: tell("pseudo-likelihood", share))
        rule = "Each token of the documents' first 256 characters is hidden in turn, and all others are seen."
        comparable = (
            "It compares with masked models on the same text, whatever their tokenizer, and never with a causal "
            "model's bits per byte: it sees what comes after."
        )
        comparable += lossy(loaded, texts)
        return [
            figure("pseudo-likelihood", found.bits_per_byte, BITS, over(found, len(texts)), rule, comparable)
        ]


MEASURES: Registry[Measure] = Registry.of("hornbook.measures", "measure", Measure)
