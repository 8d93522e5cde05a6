"""Give a model the dense token, and let it write with it."""

from pathlib import Path
from typing import Any, Literal

from hornbook.atomic import check_new
from hornbook.dense.opening import Place, checked, folder_of
from hornbook.dense_tokens import DenseOptions
from hornbook.dense_tokens.folder import open_dense, save_dense, wrap_folder
from hornbook.dense_tokens.generate import Writing, write
from hornbook.dense_tokens.show import Thinking, text_of, thoughts
from hornbook.dense_tokens.vocabulary import context, unwritable
from hornbook.quiet import quieten_transformers


def add(
    model: Place, out: Path | str, vector: Literal["rms", "raw", "soft"] = "rms", share_positions: bool = True
) -> dict[str, Any]:
    """Add the dense token to a causal model; `AutoModelForCausalLM` opens the new folder too.

    Returns model, token, id and rows. Raises HornbookError where `out` exists, and for a model that isn't causal.
    """
    quieten_transformers()
    check_new(Path(out))
    wrapped, tokenizer = wrap_folder(
        folder_of(model), checked(DenseOptions, vector=vector, share_positions=share_positions)
    )
    save_dense(wrapped, tokenizer, Path(out))
    rows = wrapped.model.get_input_embeddings().weight.shape[0]
    return {"model": str(out), "token": wrapped.options.token, "id": wrapped.dense_id, "rows": rows}


def generate(
    model: Place,
    prompt: str = "",
    think: Literal["model", "every", "entropy", "never"] = "model",
    every: int = 4,
    entropy: float = 3.0,
    budget: int = 64,
    longest: int = 4,
    tokens: int = 200,
    temperature: float = 0.8,
    top_k: int = 50,
    top_p: float = 0.95,
    seed: int = 0,
) -> Thinking:
    """Let a model with dense tokens continue a text; the options are `Writing`'s.

    The result has the text, and each dense token with the words that the head reads from its vector.
    """
    options = checked(
        Writing,
        tokens=tokens,
        think=think,
        every=every,
        entropy=entropy,
        budget=budget,
        longest=longest,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
    )
    quieten_transformers()
    loaded, tokenizer = open_dense(folder_of(model))
    loaded.eval()
    before = context(tokenizer, prompt, loaded.options.token)
    (steps,) = write(loaded, [before], tokenizer.eos_token_id, unwritable(loaded, tokenizer), options)
    return Thinking(prompt, text_of(tokenizer, before, steps), tuple(thoughts(tokenizer, before, steps)))
