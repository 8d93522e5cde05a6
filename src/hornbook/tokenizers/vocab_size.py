"""Check that a vocabulary has room for the entries that every tokenizer of its kind needs."""

from hornbook.errors import HornbookError
from hornbook.tokenizers.options import TokenizerOptions


def check_vocab_size(options: TokenizerOptions, special: int, alphabet: dict[str, int]) -> None:
    """Raise HornbookError when `vocab_size` is smaller than the special tokens and the alphabet's parts."""
    needed = special + sum(alphabet.values())
    if options.vocab_size < needed:
        parts = " + ".join(
            [f"{special} special tokens", *(f"{count:,} {name}" for name, count in alphabet.items())]
        )
        raise HornbookError(
            f"tokenizer.vocab_size is {options.vocab_size}, but {options.kind} needs at least {needed} here "
            f"({parts}): set it to {needed} or more"
        )
