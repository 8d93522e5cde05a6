"""Import a tokenizer from another library's files, with the ids that it has there."""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerBase

from hornbook.errors import HornbookError
from hornbook.gate import Folder, check_patterns, plain_file, read_object
from hornbook.tokenizers import spiece
from hornbook.tokenizers.fast_tokenizer import build_fast_tokenizer, wrap
from hornbook.tokenizers.load import load, roles_of
from hornbook.tokenizers.style import STYLES

_READABLE = "tokenizer.json, a SentencePiece .model, vocab.json with merges.txt, or vocab.txt"
_END = "<|endoftext|>"


def import_tokenizer(source: Path) -> PreTrainedTokenizerBase:
    """Read a tokenizer's file or folder; nothing in it is run or unpickled.

    In a folder, the first of these that exists decides: tokenizer.json, a SentencePiece model, the vocabulary as
    `tokenizer_config.json` describes it, the vocabulary alone. Alone, vocab.json with merges.txt is read as byte-level
    BPE without a space before a text (GPT-2, RoBERTa), and vocab.txt as BERT's WordPiece, which lowercases and strips
    accents if no entry has a capital letter. If `source` is a file, this file decides.

    Raises HornbookError when there is nothing to read, when a file is damaged, and for kinds that would get
    other ids.
    """
    if not source.exists():
        raise HornbookError(f"there is no {source}: give a folder or file with {_READABLE}")
    if source.is_dir():
        Folder(source).check(weights=False)
    file = plain_file(_chosen(source) if source.is_dir() else source)
    if file.suffix == ".model":
        rust, roles = spiece.read(file)
        return wrap(rust, roles)
    configured = source.is_dir() and (source / "tokenizer_config.json").exists()
    if file.name == "tokenizer.json" or configured:
        return load(str(file.parent))
    if file.name in ("vocab.json", "merges.txt"):
        return _byte_level(file.parent)
    if file.suffix == ".json":
        return _whole(file)
    if file.suffix == ".txt":
        return _wordpiece(file)
    raise HornbookError(f"{source} is not a tokenizer's file: give {_READABLE}, or their folder")


def _chosen(folder: Path) -> Path:
    """Find the file of a folder that describes its tokenizer best."""
    whole, pair, words = (folder / name for name in ("tokenizer.json", "vocab.json", "vocab.txt"))
    if whole.exists():
        return whole
    found = sorted(folder.glob("*.model"))
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise HornbookError(f"{folder} has {len(found)} models, {names}: name the one you mean")
    for path in (*found, pair, words):
        if path.exists():
            return path
    raise HornbookError(f"{folder} holds no tokenizer: it needs {_READABLE}")


def _whole(file: Path) -> PreTrainedTokenizerBase:
    check_patterns(read_object(file), file)
    try:
        rust = Tokenizer.from_file(str(file))
    except Exception as error:  # the Rust library raises nothing narrower
        raise _torn(file, error) from error
    rust.no_truncation()
    rust.no_padding()
    return wrap(rust, roles_of(rust))


def _byte_level(folder: Path) -> PreTrainedTokenizerBase:
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    for path in (vocabulary, merges):
        if not path.exists():
            raise HornbookError(f"{folder} has no {path.name}: vocab.json and merges.txt go together")
        plain_file(path)
    try:
        rust = Tokenizer(models.BPE.from_file(str(vocabulary), str(merges)))
    except Exception as error:  # the Rust library raises nothing narrower
        raise _torn(vocabulary, error) from error
    missing = set(pre_tokenizers.ByteLevel.alphabet()).difference(rust.get_vocab())
    if missing:
        raise HornbookError(
            f"{vocabulary} is not a byte-level BPE (it lacks {len(missing)} of the 256 bytes): "
            "import its tokenizer.json"
        )
    rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    rust.decoder = decoders.ByteLevel()
    roles = roles_of(rust)
    if not roles and rust.token_to_id(_END) is not None:  # GPT-2's only special token, at its last id
        roles = {"bos_token": _END, "eos_token": _END}
    return _with_template(rust, roles)


def _wordpiece(file: Path) -> PreTrainedTokenizerBase:
    style = STYLES["bert"]
    try:
        entries = file.read_text("utf-8").splitlines()
        rust = Tokenizer(models.WordPiece.from_file(str(file), unk_token=style.roles["unk_token"]))
    except Exception as error:  # the Rust library raises nothing narrower
        raise _torn(file, error) from error
    roles = {role: token for role, token in style.roles.items() if token in entries}
    if "unk_token" not in roles:
        raise HornbookError(
            f"{file}: none of its {len(entries)} lines is {style.roles['unk_token']}, so it is damaged, or not a "
            "vocabulary of BERT: copy it again"
        )
    cased = any(entry != entry.lower() for entry in entries if not entry.startswith("["))
    rust.normalizer = normalizers.BertNormalizer(lowercase=not cased)
    rust.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    rust.decoder = decoders.WordPiece()
    return _with_template(rust, roles)


def _with_template(rust: Tokenizer, roles: dict[str, str]) -> PreTrainedTokenizerBase:
    """Add the template of BERT and RoBERTa if the vocabulary has its tokens: such a vocabulary is used with it."""
    wrapped = wrap(rust, roles)
    if {"cls_token", "sep_token", "mask_token"} <= roles.keys():
        return build_fast_tokenizer(wrapped, "masked", wrapped.model_max_length)
    return wrapped


def _torn(file: Path, error: Exception) -> HornbookError:
    return HornbookError(
        f"{file} is damaged or not a tokenizer ({str(error).splitlines()[0]}): copy it again"
    )
