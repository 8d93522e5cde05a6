"""WordPiece: words end at blanks and punctuation; the longest pieces are matched first (BERT, Devlin et al. 2019)."""

from collections.abc import Iterator

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from hornbook.tokenizers.options import TokenizerOptions
from hornbook.tokenizers.vocab_size import check_vocab_size
from hornbook.tokenizers.words import count_characters, count_words, learnable

_INNER = "##"
_REPEATS = 100_000


def learn(
    documents: Iterator[list[str]],
    options: TokenizerOptions,
    normalizer: normalizers.Normalizer,
    front: list[AddedToken],
    back: list[AddedToken],
    unknown: str | None,
) -> Tokenizer:
    """Learn pieces until the vocabulary has `options.vocab_size` entries, with `back`, which is added later.

    Characters that occur less than `options.min_frequency` times are left out: words that hold one are unknown.
    """
    special = len(front) + len(back)
    check_vocab_size(options, special, {"characters": 1})
    tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
    # Accents stay. BERT strips them when it lower-cases, which turns Norwegian 'å' into 'a'.
    clean = normalizers.BertNormalizer(strip_accents=False, lowercase=False)
    tokenizer.normalizer = normalizers.Sequence([normalizer, clean])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=_INNER)

    words = count_words(documents, tokenizer)
    times = count_characters(words)
    words = learnable(words, lambda word: min(times[c] for c in word) >= options.min_frequency)
    characters = {character for word in words for character in word}
    # The trainer gets the inner characters as special tokens, so that their ids have a fixed order. By itself,
    # it numbers them in the order of a hash map, and ids decide every later tie between pairs.
    inner = sorted({_INNER + character for word in words for character in word[1:]})
    check_vocab_size(options, special, {"characters": len(characters), "characters inside words": len(inner)})
    trainer = trainers.WordPieceTrainer(
        vocab_size=options.vocab_size - len(back),
        min_frequency=options.min_frequency,
        special_tokens=[*(token.content for token in front), *inner],
        continuing_subword_prefix=_INNER,
        show_progress=False,
    )
    learner = Tokenizer(models.WordPiece(unk_token=unknown))
    learner.train_from_iterator(_repeated(words), trainer)
    tokenizer.model = models.WordPiece(vocab=learner.get_vocab(), unk_token=unknown)
    return tokenizer


def _repeated(words: dict[str, int]) -> Iterator[list[str]]:
    """Repeat each word as often as it was counted, since the trainer takes no counts."""
    for word, times in words.items():
        for done in range(0, times, _REPEATS):
            yield [word] * min(_REPEATS, times - done)
