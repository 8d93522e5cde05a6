"""What a causal model expects next, at each place of a text and after it."""

from dataclasses import dataclass

import torch

from hornbook.errors import HornbookError
from hornbook.loading import LoadedModel
from hornbook.tokenizers import VisibleTokens, encode_documents


@dataclass(frozen=True)
class Expected:
    """A text's tokens with the probability that each had, and the likeliest that come next."""

    tokens: tuple[tuple[str, float], ...]
    following: tuple[tuple[str, float], ...]


@torch.inference_mode()
def expect(loaded: LoadedModel, text: str, top: int = 10) -> Expected:
    """Say how likely each token of a text was, given those before it, and which `top` tokens are likeliest next.

    The text begins with the end token, as every document does in training. Raises HornbookError unless the model is
    causal and reads from left to right, and for a text that leaves no room for another token.
    """
    loaded.need(head="causal", reading="left to right")
    ids = encode_documents(loaded.tokenizer, [text])[0] if text else []
    if len(ids) + 1 > loaded.length:
        raise HornbookError(
            f"the text has {len(ids)} tokens, and {loaded.name} takes {loaded.length - 1}: shorten it"
        )
    read = torch.tensor([[loaded.vocabulary.eos, *ids]], device=loaded.model.device)
    chances = loaded.model(input_ids=read).logits[0].float().softmax(-1).cpu()
    names = VisibleTokens(loaded.tokenizer)
    best = chances[-1].topk(min(top, chances.shape[-1]))
    return Expected(
        tuple(
            (name, float(chances[place, token]))
            for place, (name, token) in enumerate(zip(names.tokens(ids), ids, strict=True))
        ),
        tuple(zip(names.tokens(best.indices.tolist()), best.values.tolist(), strict=True)),
    )
