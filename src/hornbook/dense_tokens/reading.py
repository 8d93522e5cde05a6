"""Read several texts token by token, with a cache."""

import torch
from torch import Tensor

from hornbook.dense_tokens.fill import fill_one_by_one
from hornbook.dense_tokens.fitness import check_cache, check_finite, position_limit
from hornbook.dense_tokens.model import DenseModel
from hornbook.errors import HornbookError
from hornbook.internals import make_cache


class Reading:
    """A batch of texts that grow by one token each in a step; a dense token costs as much as a word.

    Each text begins with its prompt, a list of ids that may hold dense tokens, and is padded on the left. Texts don't
    depend on each other, except where each column takes a position (`position_limit`): there, padding takes some of a
    text's positions. Without `vectors`, dense tokens are pause tokens. Raises HornbookError for an empty prompt, and
    for hidden states with NaN or infinity.
    """

    hidden: Tensor
    """The last hidden state of each text, shape (B, H)."""
    position: Tensor
    """The position id of each text's last token, shape (B,)."""

    def __init__(self, model: DenseModel, prompts: list[list[int]], vectors: bool = True) -> None:
        if not prompts or not all(prompts):
            raise HornbookError(
                "a prompt is empty: begin it with a word or with the end token, as documents do"
            )
        check_cache(model.model)
        self._model, self._carry = model, model.carrier() if vectors else torch.zeros_like
        self._cache = make_cache(model.model.config)
        ids, self._real = _align(prompts, model.model.device)
        layout = model.layout(ids, self._real)
        words = model.model.get_input_embeddings()(ids)
        self.hidden = fill_one_by_one(model.run, words, layout, self._carry, self._cache)[0][:, -1]
        self.position = layout.positions[:, -1]
        check_finite(self.hidden[:, None])

    @property
    def room(self) -> Tensor:
        """How many more tokens the model can read in each text, shape (B,)."""
        limit, by_columns = _room_of(self._model)
        used = torch.full_like(self.position, self._real.shape[1]) if by_columns else self.position + 1
        return limit - used

    @property
    def price(self) -> int:
        """How much of that room a dense token takes."""
        return int(_room_of(self._model)[1] or not self._model.options.share_positions)

    def read(self, tokens: Tensor, live: Tensor) -> None:
        """Read one token for each `live` text, ids (B,); other texts get padding, which attends only to itself."""
        model = self._model
        dense = tokens == model.dense_id
        embedded = model.model.get_input_embeddings()(tokens[:, None])
        if bool(dense.any()):
            embedded = embedded + (self._carry(self.hidden) * dense[:, None])[:, None]
        self._real = torch.cat([self._real, live[:, None]], 1)
        self.position = self.position + (live & ~(dense & model.options.share_positions)).long()
        seen = self._real & live[:, None]
        seen[:, -1] = True
        mask = torch.zeros(seen.shape, dtype=embedded.dtype, device=embedded.device)
        mask = mask.masked_fill(~seen, torch.finfo(embedded.dtype).min)[:, None, None]
        self.hidden = model.run(embedded, mask, self.position[:, None], self._cache)[:, -1]
        check_finite(self.hidden[:, None])


def _room_of(model: DenseModel) -> tuple[int, bool]:
    return position_limit(model.model) or (2**30, False)


def _align(prompts: list[list[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Pad prompts on the left: ids, and False at padding, both (B, T)."""
    longest = max(map(len, prompts))
    ids = torch.zeros(len(prompts), longest, dtype=torch.long)
    real = torch.zeros(len(prompts), longest, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.tensor(prompt)
        real[row, longest - len(prompt) :] = True
    return ids.to(device), real.to(device)
