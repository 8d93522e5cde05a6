"""Samples of what a model writes for a prompt, in the page's form."""

from dataclasses import asdict
from typing import Any

from hornbook.evaluation.blanks import cut
from hornbook.evaluation.generate import generate
from hornbook.evaluation.infill import infill
from hornbook.evaluation.unmask import unmask
from hornbook.loading import LoadedModel
from hornbook.objectives.objective import Writing
from hornbook.tokenizers import encode_documents

_TOKENS = 60
"""Most tokens that a causal model writes."""


def sample(loaded: LoadedModel, prompt: str, writes: Writing) -> dict[str, Any]:
    """Let a model fill the prompt's first blank, or continue the text before the blank, as its objective `writes`.

    Raises HornbookError as `unmask`, `infill` and `generate` do.
    """
    if writes == "generate":
        start = cut(prompt)[0]
        output = start + generate(loaded, start, _TOKENS, warn=lambda remark: None)
        return {"kind": "generate", "prompt": start, "output": output}
    if writes == "unmask":
        candidates = [asdict(candidate) for candidate in unmask(loaded, prompt)[0].candidates]
        return {"kind": "unmask", "prompt": prompt, "output": candidates[0]["text"], "candidates": candidates}
    return {"kind": "infill", "prompt": prompt, "output": infill(loaded, prompt).text}


def fits(loaded: LoadedModel, prompt: str) -> bool:
    """Tell whether a prompt fits into a model, with room for special tokens and a few words."""
    (ids,) = encode_documents(loaded.tokenizer, [prompt])
    return len(ids) + 8 <= loaded.length
