"""Add the dense token to a model and its tokenizer."""

import torch
from tokenizers import AddedToken
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hornbook.dense_tokens.fitness import refuse_unfit
from hornbook.errors import HornbookError
from hornbook.tokenizers import DENSE


def add_dense_token(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, token: str = DENSE) -> int:
    """Add `token` to both, and return its id; a tokenizer that already has it stays as it is.

    The token takes the first id after the tokenizer's own. If the model has a spare row for it (Pythia pads its 50,277
    rows to 50,304), that row is used; else the tables grow by one row. The token's rows in the embeddings and in the
    head begin as the mean of all others, so that it means nothing yet. Raises HornbookError for a model that can't have
    dense tokens, and for a tokenizer with more ids than the model has rows.
    """
    refuse_unfit(model)
    known = tokenizer.get_vocab()
    rows = model.get_input_embeddings().weight.shape[0]
    entries = max(known.values()) + 1
    if entries > rows:
        raise HornbookError(
            f"the tokenizer has ids up to {entries - 1:,}, the model {rows:,} rows: give the tokenizer that it was "
            "trained with"
        )
    if token in known:
        return int(known[token])
    tokenizer.add_special_tokens(
        {"extra_special_tokens": [AddedToken(token, special=True, normalized=False)]},
        replace_extra_special_tokens=False,
    )
    dense = int(tokenizer.convert_tokens_to_ids(token))
    if dense >= rows:
        model.resize_token_embeddings(dense + 1, mean_resizing=False)
    with torch.no_grad():
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            for weight in layer.parameters() if isinstance(layer, nn.Module) else ():
                weight[dense] = weight[:entries].mean(0)
    return dense
