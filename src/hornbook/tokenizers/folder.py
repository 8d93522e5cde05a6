"""A tokenizer's folder, in which all files agree."""

from pathlib import Path

from tokenizers import models
from transformers import PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.tokenizers.style import Template

_LEGACY: dict[type, tuple[str, ...]] = {
    models.BPE: ("vocab.json", "merges.txt"),
    models.WordPiece: ("vocab.txt",),
}
"""The files that older libraries read, for each kind of model."""


def write(tokenizer: PreTrainedTokenizerBase, folder: Path, like: Path | None = None) -> None:
    """Write a tokenizer for AutoTokenizer; also write older libraries' files if the folder `like` has them."""
    tokenizer.save_pretrained(folder)
    model = tokenizer.backend_tokenizer.model
    if like is not None and any((like / name).exists() for name in _LEGACY.get(type(model), ())):
        model.save(str(folder))


def sentencepiece_files(*folders: Path | None) -> list[str]:
    """Name the SentencePiece models in these folders; `write` copies none, since a new tokenizer has other ids."""
    return sorted({path.name for folder in folders if folder is not None for path in folder.glob("*.model")})


def template_of(tokenizer: PreTrainedTokenizerBase) -> Template:
    """Tell which template a tokenizer has.

    Raises HornbookError for a template that `build_fast_tokenizer` doesn't know, such as one with a token before a
    text and none after it.
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
            f"the tokenizer's template is {around}, which no family here has: name its new family with --for"
        )
    return templates[before, after]
