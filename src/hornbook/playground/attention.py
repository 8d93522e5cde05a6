"""How much each place of a text attends to each other."""

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedModel

from hornbook import internals
from hornbook.errors import HornbookError
from hornbook.loading import LoadedModel
from hornbook.tokenizers import VisibleTokens


@torch.inference_mode()
def attention_of(loaded: LoadedModel, text: str) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Give a text's tokens, as the model reads them, and weights of shape (layers, heads, who, whom).

    Of a text-to-text model they are the encoder's. Each row adds up to 1. Raises HornbookError for an empty text, one
    that is longer than the model takes, and a model that doesn't tell its weights.
    """
    ids = loaded.tokenizer(text)["input_ids"]
    end = loaded.vocabulary.eos
    if loaded.head == "causal" and end is not None:
        ids = [end, *ids]  # as every document begins in training
    if not ids or len(ids) > loaded.length:
        raise HornbookError(f"the text has {len(ids)} tokens, and {loaded.name} takes 1 to {loaded.length}")
    model = loaded.model.get_encoder() if loaded.head == "seq2seq" else loaded.model
    found = _eagerly(model, torch.tensor([ids], device=loaded.model.device))
    if not found or found[0] is None:
        raise HornbookError(f"{loaded.name} doesn't tell its weights of attention: its class has none")
    return VisibleTokens(loaded.tokenizer).tokens(ids), torch.stack(
        [one[0] for one in found]
    ).float().cpu().numpy()


def _eagerly(model: PreTrainedModel, ids: torch.Tensor) -> tuple[torch.Tensor, ...] | None:
    """Run the model with the one way of computing attention that keeps the weights."""
    before = internals.attention_of(model.config)
    try:
        internals.choose_attention(model, "eager")
        return model(input_ids=ids, output_attentions=True).attentions
    except (TypeError, ValueError, AttributeError):  # a class of one's own need not know the option
        return None
    finally:
        internals.choose_attention(model, before or "eager")
