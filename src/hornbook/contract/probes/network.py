"""A module as probes see it: ids in, outputs (batch, length, ...) out."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hornbook.blame import told
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
    def takes_all(self) -> bool:
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

            def encode(ids: Tensor, mask: Tensor | None) -> Tensor:
                return self._places(encoder(input_ids=ids, attention_mask=mask), ids)

            def decode(ids: Tensor, _: Tensor | None) -> Tensor:
                return self._places(
                    self.module(input_ids=self.ids(len(ids), seed=1).to(ids.device), decoder_input_ids=ids),
                    ids,
                )

            yield View("encoder", encode, causal=False, masked=True)
            yield View("decoder", decode, causal=True, masked=False)
        else:
            yield View("model", self.run, self.head == "causal", self.head != "causal")

    def run(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Compute the outputs (batch, length, ...) of ids (batch, length); `mask` is 1 where there is a token.

        Raises HornbookError where `forward` asks for what isn't known here, or gives no outputs of the places.
        """
        given = {name: make(ids) for name, make in _KNOWN.items() if name in self.asks}
        if mask is not None and ("attention_mask" in self.takes or self.takes_all):
            given["attention_mask"] = mask
        if self.by_place:
            return self._places(self.module(ids, **given), ids)
        return self._places(self.module(input_ids=ids, **given), ids)

    @cached_property
    def first(self) -> str | None:
        """The name of the first thing that `forward` takes; None where it has no name, or none is declared."""
        named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return next((name for name, one in self._signature.items() if one.kind in named), None)

    @property
    def by_place(self) -> bool:
        """Whether the ids come first, whatever they are called there."""
        return self.first == "input_ids" or ("input_ids" not in self.takes and self.first not in _KNOWN)

    @cached_property
    def asks(self) -> frozenset[str]:
        """The names of what `forward` can't do without, other than the ids; HornbookError for one that isn't known."""
        needed = {
            name
            for name, one in self._signature.items()
            if one.default is inspect.Parameter.empty
            and one.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        } - {"input_ids"}
        if self.by_place:
            needed -= {str(self.first)}
        if unknown := sorted(needed - _KNOWN.keys()):
            raise HornbookError(
                f"{type(self.module).__name__}.forward asks for {', '.join(unknown)}, and only these can be made: "
                f"input_ids, {', '.join(_KNOWN)}: give the others a default in forward"
            )
        return frozenset(needed)

    @property
    def _signature(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.module.forward).parameters

    def _places(self, outputs: Any, ids: Tensor) -> Tensor:
        """Find the outputs of the places in whatever a module gives back."""
        named = [
            getattr(outputs, name, None) for name in ("logits", "prediction_logits", "last_hidden_state")
        ]
        found = [outputs, *named, *(outputs if isinstance(outputs, tuple | list) else [])]
        if isinstance(outputs, Mapping):
            found += outputs.values()
        tensors = [one for one in found if isinstance(one, Tensor)]
        for one in tensors:
            if one.shape[:2] == ids.shape:
                return one
        shapes = ", ".join(str(tuple(one.shape)) for one in tensors) or "no tensor"
        raise HornbookError(
            f"{type(self.module).__name__}.forward, given ids {tuple(ids.shape)}, gives a {type(outputs).__name__} "
            f"with {shapes}: give a tensor (batch, length, ...) of all places, ({len(ids)}, {ids.shape[1]}, ...) here"
        )

    def quietly(self, view: View, ids: Tensor, mask: Tensor | None = None, seed: int = 0) -> Tensor:
        """Run without gradient and in evaluation mode, leaving the module and PyTorch's random state as they were.

        What a module draws all the same depends on `seed` alone, so that it isn't taken for what an input moves.
        Raises HornbookError as `run` does, and for whatever `forward` raises, with the line where it happened.
        """
        training = {module: module.training for module in self.module.modules()}
        self.module.eval()
        try:
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(seed)
                return (
                    view.run(ids.to(self.device), None if mask is None else mask.to(self.device))
                    .float()
                    .cpu()
                )
        except HornbookError:
            raise
        except Exception as error:  # whatever a forward raises
            raise HornbookError(
                f"{type(self.module).__name__}.forward can't be run on ids {tuple(ids.shape)}: {told(error)}"
            ) from error
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


_KNOWN: dict[str, Callable[[Tensor], Tensor]] = {
    "attention_mask": torch.ones_like,
    "token_type_ids": torch.zeros_like,
    "position_ids": lambda ids: torch.arange(ids.shape[1], device=ids.device).expand_as(ids),
}
"""What a `forward` may ask for besides the ids, all (batch, length), under the names that transformers gives them."""
