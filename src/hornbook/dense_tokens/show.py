"""Show the dense tokens of a generated text."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from transformers import PreTrainedTokenizerBase

from hornbook.dense_tokens.generate import GenerationStep


@dataclass(frozen=True)
class Thought:
    """A dense token in a text."""

    after: str
    """The text before it."""
    read: tuple[tuple[str, float], ...]
    """The words that the head reads from its vector, likeliest first, with their probabilities."""


@dataclass(frozen=True)
class Thinking:
    """A text that a model with dense tokens wrote after a prompt."""

    prompt: str
    text: str
    """The words after the prompt."""
    thoughts: tuple[Thought, ...]
    """Its dense tokens in order."""

    def pieces(self, most: int = 3) -> list[tuple[str, str]]:
        """Cut prompt and text behind each dense token; give each piece with what the token's vector says."""
        ends = [len(one.after) for one in self.thoughts]
        starts, read = [0, *ends], [_words(one, most) for one in self.thoughts]
        texts = [self.text[first:last] for first, last in zip(starts, [*ends, None], strict=True)]
        return list(zip([self.prompt + texts[0], *texts[1:]], [*read, ""], strict=True))

    def __str__(self) -> str:
        return "".join(text + (f" ⟨{read}⟩" if read else "") for text, read in self.pieces())

    def _repr_html_(self) -> str:
        """Draw it in a notebook: the text, and at each dense token what its vector says."""
        return "".join(
            escape(text) + (f" <small><mark>{escape(read)}</mark></small>" if read else "")
            for text, read in self.pieces()
        )


def _words(thought: Thought, most: int) -> str:
    return " | ".join(f"{word.strip()} {100 * chance:.0f} %" for word, chance in thought.read[:most])


def text_of(
    tokenizer: PreTrainedTokenizerBase, prompt: Sequence[int], steps: Sequence[GenerationStep]
) -> str:
    """Decode the words after the prompt, without dense tokens."""
    before = tokenizer.decode(list(prompt), skip_special_tokens=True)
    words = [step.token for step in steps if not step.dense]
    return tokenizer.decode([*prompt, *words], skip_special_tokens=True)[len(before) :]


def thoughts(
    tokenizer: PreTrainedTokenizerBase, prompt: Sequence[int], steps: Sequence[GenerationStep]
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
