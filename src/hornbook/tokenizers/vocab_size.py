"""Check that a vocabulary has room for the entries that every tokenizer of its kind needs, and is as large as asked."""

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


def describe_smaller(options: TokenizerOptions, entries: int) -> str | None:
    """Say that a trained vocabulary has fewer entries than were asked for, and why; None if it has all."""
    if options.path or entries >= options.vocab_size:
        return None
    rare = f" that occur {options.min_frequency:,} times or more" if options.min_frequency > 1 else ""
    return (
        f"tokenizer.vocab_size is {options.vocab_size:,}, but the vocabulary has {entries:,} entries: the text yields "
        f"no more{rare if options.kind != 'unigram' else ''}. Give more text, or ask for no more than that"
    )
