"""How a model chooses the tokens that it generates."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import GenerationConfig

from hornbook.errors import HornbookError
from hornbook.loading import LoadedModel


def sampling(
    loaded: LoadedModel, tokens: int, temperature: float, top_k: int, top_p: float, stops: list[int]
) -> GenerationConfig:
    """Make the settings for Hugging Face's `generate`: at most `tokens` tokens, up to the first of `stops`.

    Temperature 0 takes the likeliest token. Otherwise a token is sampled from the `top_k` likeliest (0: from all), and
    among them from the fewest that reach a probability of `top_p` together. Raises HornbookError for invalid values.
    """
    if tokens < 1:
        raise HornbookError(f"tokens is {tokens}: ask for 1 or more")
    if temperature < 0:
        raise HornbookError(
            f"temperature is {temperature}: 0 takes the likeliest token, 1 draws as the model says"
        )
    if top_k < 0 or not 0 < top_p <= 1:
        raise HornbookError(
            f"top_k is {top_k} and top_p {top_p}: top_k is 0 or more, top_p above 0 and at most 1"
        )
    drawn = {"temperature": float(temperature), "top_k": top_k, "top_p": float(top_p)} if temperature else {}
    return GenerationConfig(
        max_new_tokens=tokens,
        do_sample=temperature > 0,
        eos_token_id=stops,
        # There is no padding, but the library wants an id.
        pad_token_id=stops[0] if loaded.tokenizer.pad_token_id is None else loaded.tokenizer.pad_token_id,
        decoder_start_token_id=getattr(loaded.model.config, "decoder_start_token_id", None),
        **drawn,
    )


@contextmanager
def seeded(device: torch.device, seed: int) -> Iterator[None]:
    """Seed PyTorch's generators within the block, and restore them after it."""
    gpu = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if gpu else []):
        torch.default_generator.manual_seed(seed)
        if gpu:
            torch.cuda.manual_seed(seed)
        yield
