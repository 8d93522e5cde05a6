"""A SentencePiece model (Kudo & Richardson 2018) as a tokenizer that gives the very same ids."""

import re
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from sentencepiece import SentencePieceProcessor
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from hornbook.errors import HornbookError
from hornbook.internals import read as read_internal

_SPACE = "▁"
_KINDS = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
# The types of pieces, as sentencepiece_model.proto numbers them.
_NORMAL, _CONTROL, _SYMBOL, _BYTE = 1, 3, 4, 6


def read(path: Path) -> tuple[Tokenizer, dict[str, str]]:
    """Read a unigram or bpe model, and the tokens of its pad, bos, eos and unk ids.

    Control pieces become special tokens. As usual in transformers, they are found where a text holds them;
    SentencePiece never finds them there. The tokenizer has no template, since a model doesn't say where its eos goes.
    Two results can differ from SentencePiece's: which of two equally likely splits a unigram model chooses (`*****`),
    and the space before a text that is only one user-defined symbol of a bpe model.

    Raises HornbookError for a damaged file and for models that would get other ids: the word and char kinds, and
    those that write a space after its word.
    """
    model, processor = _parse(path)
    kind = _KINDS.get(model.trainer_spec.model_type, "unknown")
    if kind not in ("unigram", "bpe"):
        raise HornbookError(f"{path} is a {kind} model: only unigram and bpe models can be imported")
    if model.trainer_spec.treat_whitespace_as_suffix or not model.normalizer_spec.escape_whitespaces:
        raise HornbookError(
            f"{path} doesn't write a space as {_SPACE} before its word: train it without "
            "treat_whitespace_as_suffix, and with escape_whitespaces"
        )
    symbols = [piece.piece for piece in model.pieces if piece.type == _SYMBOL]
    tokenizer = Tokenizer(_unigram(model) if kind == "unigram" else _bpe(model))
    tokenizer.normalizer = _normalizer(model.normalizer_spec, symbols if kind == "bpe" else [])
    splits = _splits(model, kind)
    if splits:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(splits)
    scheme = "always" if model.normalizer_spec.add_dummy_prefix else "never"
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(_SPACE, prepend_scheme=scheme)]
    )
    tokenizer.add_special_tokens(
        [
            AddedToken(piece.piece, special=True, normalized=False)
            for piece in model.pieces
            if piece.type == _CONTROL
        ]
    )
    if kind == "bpe":  # its symbols are cut out of the text before anything is merged
        tokenizer.add_tokens([AddedToken(symbol, special=False, normalized=True) for symbol in symbols])
    ids = {role: getattr(processor, f"{role}_id")() for role in ("pad", "bos", "eos", "unk")}
    return tokenizer, {f"{role}_token": processor.id_to_piece(i) for role, i in ids.items() if i >= 0}


def _parse(path: Path) -> tuple[Any, SentencePieceProcessor]:
    try:
        model = read_internal("sentencepiece.sentencepiece_model_pb2:ModelProto").FromString(
            path.read_bytes()
        )
        # A file that was cut off between two fields still parses; the trainer's and normalizer's fields are the last.
        whole = model.pieces and model.HasField("trainer_spec") and model.HasField("normalizer_spec")
        processor = SentencePieceProcessor(model_proto=model.SerializeToString()) if whole else None
    except (DecodeError, RuntimeError, OSError, ValueError) as error:
        raise HornbookError(
            f"{path} is damaged or not a SentencePiece model ({type(error).__name__}): copy it again"
        ) from error
    if processor is None:
        raise HornbookError(
            f"{path} is damaged or not a SentencePiece model ({len(model.pieces)} pieces, settings missing): "
            "copy it again"
        )
    return model, processor


def _unigram(model: Any) -> models.Unigram:
    # A symbol's score is its bytes times the best piece's score, minus 0.1 (sentencepiece, unigram_model.cc).
    best = max(piece.score for piece in model.pieces if piece.type == _NORMAL)
    entries = [
        (piece.piece, len(piece.piece.encode()) * best - 0.1 if piece.type == _SYMBOL else piece.score)
        for piece in model.pieces
    ]
    return models.Unigram(entries, model.trainer_spec.unk_id, byte_fallback=model.trainer_spec.byte_fallback)


def _bpe(model: Any) -> models.BPE:
    vocabulary = {piece.piece: i for i, piece in enumerate(model.pieces)}
    scores = [(piece.piece, piece.score) for piece in model.pieces]
    others = [piece.piece for piece in model.pieces if piece.type != _NORMAL]
    return models.BPE(
        vocab=vocabulary,
        merges=read_internal("transformers.convert_slow_tokenizer:generate_merges")(
            vocabulary, scores, others
        ),
        unk_token=model.pieces[model.trainer_spec.unk_id].piece,
        fuse_unk=True,
        byte_fallback=model.trainer_spec.byte_fallback,
    )


def _normalizer(spec: Any, symbols: list[str]) -> normalizers.Normalizer:
    """Repeat the steps of SentencePiece's normalizer.cc, in its order."""
    steps: list[normalizers.Normalizer] = []
    if spec.precompiled_charsmap:
        mapped = normalizers.Precompiled(spec.precompiled_charsmap)
        if mapped.normalize_str("A") != "A":
            # If a letter and its accent are two characters, it maps only the letter and loses the accent.
            steps.append(normalizers.NFC())
        steps.append(mapped)
    if spec.remove_extra_whitespaces:
        steps.append(normalizers.Replace(Regex(rf"\A +|[ {_SPACE}]+\z"), ""))
        steps.append(normalizers.Replace(Regex(" {2,}"), " "))
    if spec.add_dummy_prefix:
        # The Rust library also normalizes the symbols, before it searches for them. They must not get the prefix.
        alone = "|".join(map(re.escape, symbols))
        spared = rf"(?!(?:{alone})\z)" if symbols else ""
        steps.append(normalizers.Replace(Regex(rf"\A{spared}(?=.|\n)"), _SPACE))
    return normalizers.Sequence([*steps, normalizers.Replace(" ", _SPACE)])


def _splits(model: Any, kind: str) -> list[pre_tokenizers.PreTokenizer]:
    splits: list[pre_tokenizers.PreTokenizer] = []
    if kind == "unigram" and any(piece.type == _BYTE for piece in model.pieces):
        # If a text holds a byte's name, this is only text. Split here, it can't match the byte's own entry.
        splits.append(pre_tokenizers.Split(Regex("<(?=0x[0-9A-F]{2}>)"), "isolated"))
    if not any(_SPACE in piece.piece[1:] for piece in model.pieces):
        # No piece crosses a word's end, so words can be split one by one, which is faster.
        splits.append(pre_tokenizers.Split(_SPACE, "merged_with_next"))
    return splits
