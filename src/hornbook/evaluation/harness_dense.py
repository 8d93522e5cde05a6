"""A model with trained dense tokens as a model of lm-evaluation-harness: it reads some of them before it answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lm_eval.api.model import LM

from hornbook.dense_tokens.folder import open_dense
from hornbook.dense_tokens.generate import Writing, write
from hornbook.dense_tokens.public_tasks import score_with
from hornbook.dense_tokens.vocabulary import context, unwritable
from hornbook.errors import HornbookError

_MOST = 256
"""Tokens that are written at most where a task doesn't say."""


class WithDenseTokens(LM):
    """A causal model that passes itself so many dense tokens between a task's context and the answer."""

    def __init__(self, folder: Path, count: int) -> None:
        """Open a folder that `hornbook dense` wrote. Raises HornbookError for any other, as `open_dense` does."""
        super().__init__()
        if count < 1:
            raise HornbookError(
                f"--dense {count}: one or more dense tokens are read; leave it out to read none"
            )
        self.model, self.tokenizer = open_dense(folder)
        self.model.eval()
        self.count = count

    def loglikelihood(self, requests: Sequence[Any], **options: Any) -> list[tuple[float, bool]]:
        """Score continuations after contexts and dense tokens, in nats, and tell whether it would write them."""
        found = score_with(self.model, self.tokenizer, [one.args for one in requests], "dense", self.count)
        return list(zip((-found.nats).tolist(), found.greedy.tolist(), strict=True))

    def loglikelihood_rolling(self, requests: Sequence[Any], **options: Any) -> list[float]:
        """Refuse: a whole text has no place where the dense tokens would stand."""
        raise HornbookError(
            "this task asks for the likelihood of whole texts, and dense tokens stand between a context and an answer: "
            "leave --dense out"
        )

    def generate_until(self, requests: Sequence[Any], **options: Any) -> list[str]:
        """Write the likeliest words after each context and the dense tokens, up to one of the strings that end it."""
        written = []
        banned, end = unwritable(self.model, self.tokenizer), self.tokenizer.eos_token_id
        for request in requests:
            text, asked = request.args
            prompt = [
                *context(self.tokenizer, text, self.model.options.token),
                *[self.model.dense_id] * self.count,
            ]
            writing = Writing(
                tokens=int(asked.get("max_gen_toks", _MOST)), think="never", budget=0, temperature=0
            )
            (steps,) = write(self.model, [prompt], end, banned, writing)
            found = self.tokenizer.decode([step.token for step in steps], skip_special_tokens=True)
            stops = asked.get("until", [])
            for stop in [stops] if isinstance(stops, str) else stops:
                found = found.split(stop)[0] if stop else found
            written.append(found)
        return written
