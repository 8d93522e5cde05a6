"""What `hornbook show` says of an example is what is learned from it."""

from pathlib import Path

from hornbook.example import show
from hornbook.testing.case import Case
from hornbook.tokenizers import encode_documents

TEXT = "Once upon a time there was a cat. It was happy."


def one_example(case: Case, folder: Path) -> None:
    """A text comes back token by token, and every term that is learned is the sum of its places' -ln p."""
    example = show(case.loaded(case.model(seed=1)), TEXT, objective=case.objective)
    for term in example.terms:
        total = sum(one.total - one.logit for one in term.steps)
        case.require(
            bool(term.steps) or not term.weight,
            f"the {term.name} is {term.sum:.6f} in all, and its places in arithmetic() don't come to that",
        )
        case.require(
            not term.steps
            or (len(term.steps) == term.count and abs(total - term.sum) <= 1e-4 * abs(term.sum)),
            f"the {term.name} is {term.sum:.6f} over {term.count} labels, and arithmetic() has {total:.6f} over "
            f"{len(term.steps)}",
        )
    if case.objective.sentences:
        return  # a second text may stand in the place of this one's end
    ids, shown = encode_documents(case.tokenizer, [TEXT])[0], [token.id for token in example.text]
    case.require(
        shown in (ids, ids[::-1]), f"the text {ids} is shown as {shown}: example() must take all of it"
    )
