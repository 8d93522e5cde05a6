"""Special tokens that are written out in a prompt: a dense token that can't be read is refused, others are told."""

from hornbook.errors import HornbookError
from hornbook.loading import LoadedModel
from hornbook.tokenizers import DENSE, count_literals


def refuse_dense(loaded: LoadedModel, prompt: str) -> None:
    """Raise HornbookError for a prompt with a dense token, which only a model with dense tokens reads as one.

    Also for what is no text.
    """
    if not isinstance(prompt, str):
        raise HornbookError(f"the text is of the type {type(prompt).__name__}: give one text, as a str")
    if DENSE not in prompt:
        return
    if DENSE not in loaded.tokenizer.get_vocab():
        raise HornbookError(
            f"the prompt holds {DENSE}, and {loaded.name} has no dense token: take it out, or add the token with "
            f"`hornbook dense add {loaded.folder} NEW`"
        )
    raise HornbookError(
        f"the prompt holds {DENSE}, and here {loaded.name} would read it without its vector: use "
        f"`hornbook dense generate {loaded.folder}`, or take it out"
    )


def written_out(loaded: LoadedModel, prompt: str) -> str:
    """Say which special tokens are written out in a prompt, where they are read as text; empty where there are none."""
    found = ", ".join(sorted(count_literals(loaded.tokenizer, [prompt])))
    return f"{found} in the prompt is read as text, not as a special token" if found else ""
