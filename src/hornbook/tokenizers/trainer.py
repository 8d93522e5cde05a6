"""Train a tokenizer whose special tokens have their final ids from the start."""

from collections.abc import Callable, Iterable, Sequence

from tokenizers import Tokenizer, normalizers

from hornbook.errors import HornbookError
from hornbook.tokenizers import bpe, unigram, wordpiece
from hornbook.tokenizers.options import TokenizerOptions
from hornbook.tokenizers.pieces import in_pieces
from hornbook.tokenizers.style import Style
from hornbook.tokenizers.words import batches

_LEARN = {"bpe": bpe.learn, "unigram": unigram.learn, "wordpiece": wordpiece.learn}


def train(
    documents: Iterable[str],
    options: TokenizerOptions,
    style: Style,
    head_sentinels: int,
    progress: Callable[[int], None] | None = None,
    modes: Sequence[str] = (),
) -> Tokenizer:
    """Train a tokenizer from a stream of documents, read once; `progress` is called with the bytes of each batch.

    The vocabulary is, in this order: the style's front tokens, the words, an objective's `modes`, `head_sentinels`
    sentinels (unless the options say how many), the style's back tokens. It has `options.vocab_size` entries, or fewer
    if the corpus yields no more. The same corpus and options give the same bytes, whatever the hash seed and the number
    of threads. The tokenizer has no template yet: `build_fast_tokenizer` adds it.

    Raises HornbookError when the style lacks an unknown token that the kind needs, when `vocab_size` is
    smaller than special tokens and alphabet, and when Unigram or WordPiece find no words.
    """
    unknown = style.roles.get("unk_token")
    if unknown is None and options.kind != "bpe":
        raise HornbookError(
            f"tokenizer.kind {options.kind} needs an unknown token, but there is none among the special tokens "
            f"{' '.join(style.front)}: set tokenizer.kind to bpe, or tokenizer.style to shared"
        )
    sentinels = head_sentinels if options.sentinels is None else options.sentinels
    front, back = style.layout(sentinels, options.kind != "wordpiece", modes)
    normalizer = normalizers.Sequence(_normalizers(options))
    learn = _LEARN[options.kind]
    tokenizer = learn(batches(in_pieces(documents), progress), options, normalizer, front, back, unknown)
    tokenizer.add_special_tokens([*front, *back])
    return tokenizer


def _normalizers(options: TokenizerOptions) -> list[normalizers.Normalizer]:
    forms: dict[str, list[normalizers.Normalizer]] = {
        "none": [],
        "nfc": [normalizers.NFC()],
        "nfkc": [normalizers.NFKC()],
    }
    return forms[options.normalize] + ([normalizers.Lowercase()] if options.lowercase else [])
