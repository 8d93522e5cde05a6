"""Whether the vectors that a model would pass itself are numbers, asked before anything is trained."""

import numpy as np
import torch

from hornbook.dense_tokens.fitness import check_finite
from hornbook.dense_tokens.insert import every, insert
from hornbook.dense_tokens.model import DenseModel

_WORDS = 6


@torch.inference_mode()
def refuse_broken(model: DenseModel) -> None:
    """Raise HornbookError for a model whose vectors hold NaN or infinity, such as one with huge weights."""
    was_training = model.training
    model.eval()
    words = np.arange(_WORDS)[None] % model.dense_id
    ids = torch.from_numpy(insert(words, every(words, 3), model.dense_id).ids).to(model.model.device)
    check_finite(model(ids).vectors)
    model.train(was_training)
