"""Byte-level BPE: text is first split into bytes, so nothing is unknown (Radford et al. 2019, GPT-2)."""

from collections.abc import Iterator

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from hornbook.tokenizers.options import TokenizerOptions
from hornbook.tokenizers.vocab_size import check_vocab_size


def learn(
    documents: Iterator[list[str]],
    options: TokenizerOptions,
    normalizer: normalizers.Normalizer,
    front: list[AddedToken],
    back: list[AddedToken],
    unknown: str | None,
) -> Tokenizer:
    """Learn merges until the vocabulary has `options.vocab_size` entries, with `back`, which is added later."""
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    check_vocab_size(options, len(front) + len(back), {"bytes": len(alphabet)})
    tokenizer = Tokenizer(models.BPE(unk_token=unknown))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=options.vocab_size - len(back),
        min_frequency=options.min_frequency,
        special_tokens=front,
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer
