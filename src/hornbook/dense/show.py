"""Show the dense tokens of a generated text."""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from hornbook.dense.generate import Step


@dataclass(frozen=True)
class Thought:
    """A dense token in a text."""

    after: str
    """The text before it."""
    read: tuple[tuple[str, float], ...]
    """The words that the head reads from its vector, likeliest first, with their probabilities."""


def text_of(tokenizer: PreTrainedTokenizerBase, prompt: Sequence[int], steps: Sequence[Step]) -> str:
    """Decode the words after the prompt, without dense tokens."""
    before = tokenizer.decode(list(prompt), skip_special_tokens=True)
    words = [step.token for step in steps if not step.dense]
    return tokenizer.decode([*prompt, *words], skip_special_tokens=True)[len(before) :]


def thoughts(
    tokenizer: PreTrainedTokenizerBase, prompt: Sequence[int], steps: Sequence[Step]
) -> list[Thought]:
    """List the dense tokens of a text in order."""
    return [
        Thought(
            text_of(tokenizer, prompt, steps[:place]),
            tuple((tokenizer.decode([token]), chance) for token, chance in step.read),
        )
        for place, step in enumerate(steps)
        if step.dense
    ]
