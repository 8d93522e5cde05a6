"""Continue a prompt with a causal model."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.evaluation.literal_prompt import refuse_dense, written_out
from hornbook.evaluation.sampling import sampling, seeded
from hornbook.internals import read
from hornbook.loading import AnyModel, load
from hornbook.tokenizers import encode_documents

_BaseStreamer: Any = read("transformers.generation:BaseStreamer")


def generate(
    model: AnyModel,
    prompt: str = "",
    tokens: int = 200,
    temperature: float = 0.8,
    top_k: int = 50,
    top_p: float = 0.95,
    seed: int = 0,
    stream: Callable[[str], None] | None = None,
    warn: Callable[[str], None] = warnings.warn,
) -> str:
    """Continue a prompt until the document ends, or for `tokens` tokens; return the text after the prompt.

    The context begins with the end token, as every document does in training. `stream` is called with each new piece of
    text; together the pieces are the returned text. `warn` is called if the model's length cuts the text short, and if
    a special token is written out in the prompt, where it is text like any other. Tokens are chosen as `sampling` says;
    the same seed gives the same text. Raises HornbookError unless the model is causal and reads from left to right, for
    a prompt that is too long or holds a dense token, and for invalid values.
    """
    loaded = load(model)
    loaded.need(head="causal", reading="left to right")
    refuse_dense(loaded, prompt)
    if told := written_out(loaded, prompt):
        warn(told)
    end = loaded.vocabulary.eos
    assert end is not None
    context = [end, *encode_documents(loaded.tokenizer, [prompt])[0]]
    room = loaded.length - len(context)
    if room < 1:
        raise HornbookError(
            f"the prompt has {len(context) - 1} tokens, and {loaded.name} takes {loaded.length}, with the "
            "end token before it and what is to be written: shorten it"
        )
    config = sampling(loaded, min(tokens, room), temperature, top_k, top_p, [end])
    # A text never holds special tokens, nor ids without a token.
    words = loaded.vocabulary.words.tolist()
    config.suppress_tokens = sorted({*range(loaded.model.config.vocab_size)} - {end, *words}) or None
    inputs = torch.tensor([context], device=loaded.model.device)
    text = _Text(loaded.tokenizer, stream)
    with seeded(inputs.device, seed):
        ids = loaded.model.generate(
            inputs,
            attention_mask=torch.ones_like(inputs),
            generation_config=config,
            streamer=text,
            logits_processor=[_numbers],
        )[0].tolist()
    if tokens > room and ids[-1] != end:
        warn(f"the text stops after {room} tokens: {loaded.name} takes {loaded.length}, the prompt included")
    return text.said


def _numbers(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Let scores (1, vocabulary) through. Raises HornbookError where they are no numbers."""
    if torch.isnan(scores).any():
        raise HornbookError(
            "the model computes what is no number, so it can't write: take an earlier checkpoint"
        )
    return scores


class _Text(_BaseStreamer):
    """Streams text as soon as it is certain.

    Hugging Face's own streamer decodes new tokens alone, and so loses the space before the first word.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, stream: Callable[[str], None] | None) -> None:
        self.tokenizer, self.stream = tokenizer, stream
        self.ids: list[int] = []
        self.prompt: str | None = None
        self.said = ""

    def put(self, value: torch.Tensor) -> None:
        """Take the prompt's ids, shape (1, tokens), then each next one."""
        self.ids += value.flatten().tolist()
        if self.prompt is None:
            self.prompt = self._decode()
        else:
            self._say(whole=False)

    def end(self) -> None:
        """Stream the text that was held back."""
        self._say(whole=True)

    def _say(self, whole: bool) -> None:
        text = self._decode()[len(self.prompt or "") :]
        # A token may hold a part of a character, which shows as U+FFFD until the rest comes.
        if whole or not text.endswith("\ufffd"):
            new = text[len(self.said) :]
            self.said += new
            if self.stream and new:
                self.stream(new)

    def _decode(self) -> str:
        return self.tokenizer.decode(self.ids, skip_special_tokens=True)
