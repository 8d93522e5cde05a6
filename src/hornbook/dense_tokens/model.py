"""Dense tokens on any of Hugging Face's causal models, through its input embeddings alone."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from transformers import PreTrainedModel

from hornbook.dense_tokens.fill import fill_in_rounds, fill_one_by_one, next_vectors, run_given
from hornbook.dense_tokens.fitness import (
    check_cache,
    check_finite,
    check_positions,
    refuse_shared_positions,
    refuse_unfit,
)
from hornbook.dense_tokens.layout import Layout
from hornbook.dense_tokens.options import DenseOptions, Gradient
from hornbook.dense_tokens.vector import Carrier
from hornbook.errors import HornbookError
from hornbook.internals import cache_name, make_cache

_TRUE = Gradient()


@dataclass(frozen=True)
class Filled:
    """A batch after filling."""

    hidden: Tensor
    """The last hidden states (B, T, H)."""
    vectors: Tensor
    """What was added to the embeddings (B, T, H): zero where no dense token got a vector."""
    head: Callable[[Tensor], Tensor]
    """Maps hidden states (..., H) to logits (..., V); frozen where the model was."""


class DenseModel(nn.Module):
    """A causal model that passes itself its own last hidden vector at each dense token.

    The model inside stays a Hugging Face class with its own parameters; it is called with `inputs_embeds`, an explicit
    mask and explicit positions. Raises HornbookError for a model that can't have dense tokens.
    """

    def __init__(self, model: PreTrainedModel, dense_id: int, options: DenseOptions | None = None) -> None:
        super().__init__()
        refuse_unfit(model)
        rows = model.get_input_embeddings().weight.shape[0]
        if not 0 <= dense_id < rows:
            raise HornbookError(
                f"the dense token's id is {dense_id:,}, and {type(model).__name__} has {rows:,} rows: add it with "
                "add_dense_token, which makes room"
            )
        self.model, self.dense_id, self.options = model, dense_id, options or DenseOptions()
        refuse_shared_positions(model, self.options.share_positions)
        name = cache_name(type(model.base_model))
        assert name is not None  # `refuse_unfit` has checked it
        self._cache_name = name

    def layout(self, ids: Tensor, real: Tensor | None = None, documents: Tensor | None = None) -> Layout:
        """Lay out a batch of ids (B, T); `real` is False at padding, `documents` numbers packed documents.

        Raises HornbookError for a batch that takes more positions than the model has.
        """
        layout = Layout.of(ids, self.dense_id, self.options.share_positions, real, documents)
        check_positions(self.model, layout)
        return layout

    def forward(
        self,
        ids: Tensor,
        layout: Layout | None = None,
        rounds: int | None = None,
        gradient: Gradient = _TRUE,
        vectors: Tensor | None = None,
    ) -> Filled:
        """Fill the dense tokens of ids (B, T) and compute the last hidden states.

        Without `rounds`, they are filled one by one with a cache, and each place is computed once. With `rounds`, all
        are filled at once, in so many rounds and one more pass; with `layout.rounds` rounds or more, the result is the
        same. Given `vectors` (B, T, H) are used as they are, in one pass. Raises HornbookError where the class would
        drop the cache, and for given vectors with NaN or infinity.
        """
        layout = self.layout(ids) if layout is None else layout
        words = self.model.get_input_embeddings()(ids)
        if vectors is not None:
            check_finite(vectors)
        elif rounds is None and gradient.crossings in (None, 0) and not gradient.producer_only:
            # Filling and consuming are one pass over each place.
            weight = gradient.weight if gradient.crossings is None else 0.0
            hidden, vectors = self._one_by_one(words, layout, weight)
            return Filled(hidden, vectors, self.logits)
        else:
            vectors = self._fill(words, layout, rounds, gradient)
        run, head = (
            (self._run_frozen, self._head_frozen) if gradient.producer_only else (self.run, self.logits)
        )
        words = words.detach() if gradient.producer_only else words
        return Filled(run_given(run, words, layout, vectors), vectors, head)

    def consume(self, ids: Tensor, layout: Layout, vectors: Tensor) -> Filled:
        """Run ids (B, T) with given vectors (B, T, H), in one pass."""
        words = self.model.get_input_embeddings()(ids)
        return Filled(run_given(self.run, words, layout, vectors), vectors, self.logits)

    def carrier(self, weight: float = 1.0) -> Carrier:
        """Make a carrier, which turns hidden states into vectors by the present embeddings."""
        table = self.model.get_input_embeddings().weight
        return Carrier(self.options.vector, table, self.logits, self.dense_id, weight)

    def logits(self, hidden: Tensor) -> Tensor:
        """Apply the head to hidden states: (..., H) to (..., V)."""
        return self.model.get_output_embeddings()(hidden)

    def refine(self, ids: Tensor, layout: Layout, rounds: int) -> list[Filled]:
        """Fill in rounds and return each round's result: with pause tokens, with one exact vector, with two, ..."""
        words = self.model.get_input_embeddings()(ids)
        vectors, found, carry = torch.zeros_like(words), [], self.carrier()
        for number in range(rounds + 1):
            hidden = run_given(self.run, words, layout, vectors)
            found.append(Filled(hidden, vectors, self.logits))
            if number < rounds:
                vectors = next_vectors(hidden, layout, carry)
        return found

    def run(self, embeddings: Tensor, mask: Tensor, positions: Tensor, cache: Any) -> Tensor:
        """Run the model on embeddings (B, t, H), after those in the cache: last hidden states (B, t, H)."""
        return self.model.base_model(**self._arguments(embeddings, mask, positions, cache)).last_hidden_state

    def _fill(self, words: Tensor, layout: Layout, rounds: int | None, gradient: Gradient) -> Tensor:
        """Make the vectors; with k crossings, only the last k rounds carry a gradient."""
        crossings = gradient.crossings
        last = 0 if crossings is None else crossings if rounds is None else min(crossings, rounds)
        with nullcontext() if crossings is None else torch.no_grad():
            if rounds is None:
                vectors = self._one_by_one(words, layout, gradient.weight)[1]
            else:
                vectors = self._rounds(words, layout, rounds - last, gradient.weight)
        return self._rounds(words, layout, last, gradient.weight, vectors) if last else vectors

    def _one_by_one(self, words: Tensor, layout: Layout, weight: float) -> tuple[Tensor, Tensor]:
        check_cache(self.model)
        cache = make_cache(self.model.config)
        return fill_one_by_one(self.run, words, layout, self.carrier(weight), cache)

    def _rounds(
        self, words: Tensor, layout: Layout, rounds: int, weight: float, vectors: Tensor | None = None
    ) -> Tensor:
        return fill_in_rounds(self.run, words, layout, self.carrier(weight), rounds, vectors)

    def _run_frozen(self, embeddings: Tensor, mask: Tensor, positions: Tensor, cache: Any) -> Tensor:
        arguments = self._arguments(embeddings, mask, positions, cache)
        return functional_call(
            self.model.base_model, _frozen(self.model.base_model), (), arguments
        ).last_hidden_state

    def _arguments(self, embeddings: Tensor, mask: Tensor, positions: Tensor, cache: Any) -> dict[str, Any]:
        return {
            "inputs_embeds": embeddings,
            "attention_mask": mask,
            "position_ids": positions,
            self._cache_name: cache,
            "use_cache": cache is not None,
        }

    def _head_frozen(self, hidden: Tensor) -> Tensor:
        head = self.model.get_output_embeddings()
        return functional_call(head, _frozen(head), (hidden,))


def _frozen(module: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in module.named_parameters()}
