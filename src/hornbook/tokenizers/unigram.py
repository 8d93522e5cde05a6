"""Unigram: the likeliest split under piece probabilities (Kudo 2018), with bytes for characters without a piece.

SentencePiece, the trainer of T5 and ALBERT, learns the pieces. The trainer of `tokenizers` adds floats in the order of
a random hash map, so no two runs agree.
"""

import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from hornbook.tokenizers.options import TokenizerOptions
from hornbook.tokenizers.seeds import seeds
from hornbook.tokenizers.vocab_size import check_vocab_size
from hornbook.tokenizers.words import count_characters, count_words, learnable

_SPACE = "▁"
_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
# Printable ASCII always has pieces, so that a special token's or byte's name in a text splits into
# characters, which score better than its own entry.
_ASCII = {chr(code) for code in range(33, 127)}
_NEVER = -1000.0
_COVERAGE = 0.9995  # SentencePiece's default
_THREADS = 16  # each thread has its own sum, so their number decides the last digits; that of cores doesn't
# Characters that a line of "word, tab, count" can't hold, and their replacements there.
_ESCAPES = {"\0": "\U000f0000", "\t": "\U000f0001", "\n": "\U000f0002", "\r": "\U000f0003"}


def learn(
    documents: Iterator[list[str]],
    options: TokenizerOptions,
    normalizer: normalizers.Normalizer,
    front: list[AddedToken],
    back: list[AddedToken],
    unknown: str | None,
) -> Tokenizer:
    """Learn pieces until the vocabulary has `options.vocab_size` entries, with `back`, which is added later.

    The rarest characters, 0.05 % of the text, get no piece of their own: they are spelt in bytes. Decoding the ids
    gives the same text again, except that a literal U+2581 becomes a space.
    """
    special = len(front) + len(back)
    check_vocab_size(options, special, {"bytes": len(_BYTES), "ASCII characters": len(_ASCII)})
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    # No space is added before a text, so that decoding the parts of a text gives the same parts again.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\n+"), "isolated"),
            pre_tokenizers.Metaspace(_SPACE, prepend_scheme="never"),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(_SPACE, prepend_scheme="never")]
    )

    words = count_words(documents, tokenizer)
    alphabet = _alphabet(words)
    check_vocab_size(options, special, {"bytes": len(_BYTES), "characters": len(alphabet)})
    # A special token must not be learnt as a word's piece as well.
    names = [token.content for token in (*front, *back)]
    reserved = re.compile("|".join(map(re.escape, [*names, *_BYTES, *_ESCAPES.values()])))
    words = learnable(words, lambda word: alphabet.issuperset(word) and not reserved.search(word))
    pieces = _pieces(words, alphabet, options.vocab_size - special - len(_BYTES))
    entries = [(name, _NEVER) for name in (*names[: len(front)], *_BYTES)] + pieces
    tokenizer.model = models.Unigram(entries, names.index(unknown) if unknown else None, byte_fallback=True)
    return tokenizer


def _alphabet(words: dict[str, int]) -> set[str]:
    """Find the commonest characters, which make up `_COVERAGE` of the text, and add those that always belong."""
    times = count_characters(words)
    missing = (1 - _COVERAGE) * times.total()
    alphabet = set(times)
    for character in sorted(times, key=lambda character: (times[character], character)):
        missing -= times[character]
        if missing < 0:
            break
        alphabet.remove(character)
    return alphabet | _ASCII | {_SPACE}


def _pieces(words: dict[str, int], alphabet: set[str], size: int) -> list[tuple[str, float]]:
    """Learn at most `size` pieces and their log probabilities, every character of the alphabet among them.

    Characters that no word has can't be learnt: they get the lowest score.
    """
    unseen = sorted(alphabet.difference(*words))
    escape = str.maketrans(_ESCAPES)
    unescape = {ord(stand_in): character for character, stand_in in _ESCAPES.items()}
    words = {word.translate(escape): times for word, times in words.items()}
    proto = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="hornbook-unigram-") as folder:
        candidates = Path(folder) / "seeds.tsv"
        with candidates.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{seed}\t{times}\n" for seed, times in seeds(words))
        sentencepiece.SentencePieceTrainer.Train(
            sentence_iterator=(f"{word}\t{times}" for word, times in words.items()),
            input_format="tsv",
            seed_sentencepieces_file=str(candidates),
            model_writer=proto,
            model_type="unigram",
            vocab_size=size - len(unseen) + 1,  # one more, for SentencePiece's unknown piece
            hard_vocab_limit=False,
            character_coverage=1.0,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            unk_id=0,
            bos_id=-1,
            eos_id=-1,
            pad_id=-1,
            num_threads=_THREADS,
            minloglevel=2,
        )
    learnt = sentencepiece.SentencePieceProcessor(model_proto=proto.getvalue())
    # Six digits survive JSON in every library to the last bit; seventeen don't.
    scored = [
        (learnt.id_to_piece(i).translate(unescape), round(learnt.get_score(i), 6))
        for i in range(1, len(learnt))
    ]
    lowest = min(score for _, score in scored)
    return scored + [(character, lowest) for character in unseen]
