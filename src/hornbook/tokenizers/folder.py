"""A tokenizer's folder, in which every file says the same."""

from pathlib import Path

from tokenizers import models
from transformers import PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.tokenizers.style import Template

_LEGACY: dict[type, tuple[str, ...]] = {
    models.BPE: ("vocab.json", "merges.txt"),
    models.WordPiece: ("vocab.txt",),
}
"""What older libraries read, by kind."""


def write(tokenizer: PreTrainedTokenizerBase, folder: Path, like: Path | None = None) -> None:
    """Write a tokenizer for AutoTokenizer, and older libraries' files as well where the folder `like` has them."""
    tokenizer.save_pretrained(folder)
    model = tokenizer.backend_tokenizer.model
    if like is not None and any((like / name).exists() for name in _LEGACY.get(type(model), ())):
        model.save(str(folder))


def sentencepiece_files(*folders: Path | None) -> list[str]:
    """Name the SentencePiece models beside a tokenizer; `write` writes none, for their ids are its own no more."""
    return sorted({path.name for folder in folders if folder is not None for path in folder.glob("*.model")})


def template_head(tokenizer: PreTrainedTokenizerBase) -> Template:
    """Tell which template a tokenizer has.

    Raises HornbookError for a template that `build_fast_tokenizer` doesn't know, such as one that begins a text and
    doesn't end it.
    """
    encoded = tokenizer.backend_tokenizer.encode("a")
    special = encoded.special_tokens_mask
    words = [place for place, one in enumerate(special) if not one] or [len(special)]
    before, after = tuple(encoded.ids[: words[0]]), tuple(encoded.ids[words[-1] + 1 :])
    templates: dict[tuple[tuple[int | None, ...], tuple[int | None, ...]], Template] = {
        ((), ()): "causal",
        ((), (tokenizer.eos_token_id,)): "seq2seq",
        ((tokenizer.cls_token_id,), (tokenizer.sep_token_id,)): "masked",
    }
    if (before, after) not in templates:
        around = " ".join(
            [*tokenizer.convert_ids_to_tokens(before), "...", *tokenizer.convert_ids_to_tokens(after)]
        )
        raise HornbookError(
            f"its template is {around}, which no head here has: say which it is to serve with --for"
        )
    return templates[before, after]
