"""A module as probes see it: ids in, outputs (batch, length, ...) out."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hornbook.errors import HornbookError
from hornbook.tokenizers import Head

LENGTH = 8
"""Tokens in a probing sequence: short, so that windows of attention don't matter."""


@dataclass(frozen=True)
class View:
    """A way through a network: which of its inputs is changed, and whether it may look ahead."""

    name: str
    run: Callable[[Tensor, Tensor | None], Tensor]
    causal: bool
    masked: bool
    """Whether it should take a mask of padding."""


class Network:
    """Any torch module that turns ids (batch, length) into outputs; a Hugging Face model, or your own."""

    def __init__(self, module: nn.Module, head: Head, rows: int | None, words: Any = None) -> None:
        self.module, self.head = module, head
        self.rows = rows if rows is not None else self._count()
        self.influences: list[Any] | None = None
        self.words = np.asarray(words) if words is not None and len(words) else np.arange(self.rows)

    @cached_property
    def takes(self) -> frozenset[str]:
        """The parameters that `forward` declares."""
        return frozenset(inspect.signature(self.module.forward).parameters)

    @cached_property
    def hides(self) -> bool:
        """Whether `forward` has **kwargs, which take any name."""
        parameters = inspect.signature(self.module.forward).parameters.values()
        return any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)

    def ids(self, rows: int, length: int = LENGTH, seed: int = 0) -> Tensor:
        """Draw ordinary words, shape (rows, length), none twice if there are enough of them."""
        drawn = np.random.default_rng(seed).choice(
            self.words, (rows, length), replace=len(self.words) < rows * length
        )
        return torch.from_numpy(np.ascontiguousarray(drawn).astype(np.int64))

    def views(self) -> Iterator[View]:
        """Give the ways through it: one, or encoder and decoder of a model that has both."""
        if self.head == "seq2seq" and hasattr(self.module, "get_encoder"):
            encoder: Any = self.module.get_encoder()  # type: ignore[operator]
            given = self.ids(2, seed=1)

            def encode(ids: Tensor, mask: Tensor | None) -> Tensor:
                return _tensor(encoder(input_ids=ids, attention_mask=mask))

            def decode(ids: Tensor, _: Tensor | None) -> Tensor:
                return _tensor(self.module(input_ids=given.to(ids.device), decoder_input_ids=ids))

            yield View("encoder", encode, causal=False, masked=True)
            yield View("decoder", decode, causal=True, masked=False)
        else:
            yield View("model", self.run, self.head == "causal", self.head != "causal")

    def run(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Compute the outputs (batch, length, ...) of ids (batch, length); `mask` is 1 where there is a token."""
        arguments: dict[str, Any] = {}
        if mask is not None and ("attention_mask" in self.takes or self.hides):
            arguments["attention_mask"] = mask
        return _tensor(self.module(ids, **arguments))

    def quietly(self, view: View, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Run without gradient and without dropout, leaving the module as it was."""
        training = {module: module.training for module in self.module.modules()}
        self.module.eval()
        try:
            with torch.no_grad():
                return (
                    view.run(ids.to(self.device), None if mask is None else mask.to(self.device))
                    .float()
                    .cpu()
                )
        finally:
            for module, mode in training.items():
                module.training = mode

    def _count(self) -> int:
        """Find the embedding that gets the ids themselves, and count its rows; a position table gets others."""
        ids = torch.tensor([[0, 1, 1, 0, 1, 0, 0, 1]] * 2)
        rows: list[int] = []

        def note(module: nn.Embedding, given: Any, _: Any) -> None:
            if given[0].shape in (ids.shape, ids.T.shape) and given[0].cpu().flatten().sort().values.equal(
                ids.flatten().sort().values
            ):
                rows.append(module.num_embeddings)

        hooks = [
            one.register_forward_hook(note) for one in self.module.modules() if isinstance(one, nn.Embedding)
        ]
        try:
            self.quietly(View("model", self.run, False, False), ids)
        finally:
            for hook in hooks:
                hook.remove()
        if not rows:
            raise HornbookError("no nn.Embedding of this module gets the ids: give vocab_size")
        return rows[0]

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next((parameter.device for parameter in self.module.parameters()), torch.device("cpu"))


def _tensor(outputs: Any) -> Tensor:
    """Find the tensor with an output for each place in what a module returns."""
    if isinstance(outputs, Tensor):
        return outputs
    for name in ("logits", "prediction_logits", "last_hidden_state"):
        if isinstance(getattr(outputs, name, None), Tensor):
            return getattr(outputs, name)
    places = [one for one in outputs if isinstance(one, Tensor) and one.dim() == 3]
    return places[0]
