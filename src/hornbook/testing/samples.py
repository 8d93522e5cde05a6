"""A model writes samples as its objective declares, and the likeliest word is that of the class."""

from pathlib import Path

import torch
from transformers import PreTrainedModel

from hornbook.evaluation.blanks import cut
from hornbook.evaluation.generate import generate
from hornbook.evaluation.samples import sample
from hornbook.evaluation.unmask import unmask
from hornbook.testing.case import Case
from hornbook.tokenizers import encode_documents

PROMPT = "Once upon a <mask> there was a cat"
TOKENS = 6


def samples(case: Case, folder: Path) -> None:
    """A sample is of the declared kind, the same each time, and keeps the words of the prompt."""
    writes = case.objective.writes
    if writes is None:
        return
    model = case.model(seed=1).eval()
    loaded = case.loaded(model)
    first, again = (sample(loaded, PROMPT, writes) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        sample(loaded, PROMPT, writes)
    case.require(
        first == again, f"two samples of {PROMPT!r} differ: {first['output']!r} and {again['output']!r}"
    )
    case.require(
        first["kind"] == writes, f"the objective writes by {writes}, and the sample says {first['kind']}"
    )
    kept = [part.strip() for part in cut(first["prompt"])]
    lower = first["output"].lower()
    case.require(
        all(part.lower() in lower for part in kept), f"the sample {first['output']!r} lost words of {kept}"
    )
    plain = case.plain(model)
    if writes == "generate":
        _written_by_the_class(case, plain)
    elif writes == "unmask":
        _unmasked_by_the_class(case, plain)


@torch.no_grad()
def _written_by_the_class(case: Case, plain: PreTrainedModel) -> None:
    """At temperature 0 each token is the class's likeliest, asked without a cache."""
    vocabulary = case.vocabulary
    said = generate(case.loaded(case.model(seed=1)), "Once", TOKENS, temperature=0, warn=lambda remark: None)
    allowed = torch.tensor([*vocabulary.words, vocabulary.eos])
    context = [vocabulary.eos, *encode_documents(case.tokenizer, ["Once"])[0]]
    begin = len(context)
    for _ in range(TOKENS):
        logits = plain(torch.tensor([context])).logits[0, -1, allowed]
        context.append(int(allowed[logits.argmax()]))
        if context[-1] == vocabulary.eos:
            break
    before, whole = (
        case.tokenizer.decode(ids, skip_special_tokens=True) for ids in (context[:begin], context)
    )
    case.require(
        said == whole[len(before) :],
        f"at temperature 0 the model writes {said!r}, and its class without a cache {whole[len(before) :]!r}",
    )


@torch.no_grad()
def _unmasked_by_the_class(case: Case, plain: PreTrainedModel) -> None:
    """The likeliest word of a blank has the probability that the class gives it."""
    vocabulary, (before, after) = case.vocabulary, encode_documents(case.tokenizer, cut(PROMPT))
    ids = [vocabulary.cls, *before, vocabulary.mask, *after, vocabulary.sep]
    chances = plain(torch.tensor([ids]))[0][0, 1 + len(before)].softmax(-1)
    best = float(chances[torch.from_numpy(vocabulary.words)].max())
    found = unmask(case.loaded(case.model(seed=1)), PROMPT)[0].candidates[0].probability
    case.require(
        abs(found - best) <= 1e-4 * best,
        f"the likeliest word has the probability {found:.6f}, and by Hugging Face's class {best:.6f}",
    )
