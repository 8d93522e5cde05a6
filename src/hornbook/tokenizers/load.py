"""Open an existing tokenizer, from a folder or from the hub."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from hornbook.errors import HornbookError, one_line
from hornbook.gate import Folder
from hornbook.hub import fetch
from hornbook.tokenizers.fast_tokenizer import declared_roles, wrap
from hornbook.tokenizers.style import STYLES

FILES = ["config.json", "*token*.json", "vocab.json", "merges.txt", "vocab.txt", "*.model"]
"""The files of a tokenizer on the hub."""
_HIGHEST = 2**24
_PROBES = [
    "The quick brown Fox can't jump: 1,234.5 times, NEVER!",
    "naïve café ÅØÆ åøæ ﬁn Ⅳ ½",
    "  two  spaces\tand\n\nlines \n",
    "emoji 😀👩‍👩‍👧, Ω☃, 漢字かな, привет",
    "def f(x): return x[0] != '##y' or <z>",
]


def load(path: str) -> PreTrainedTokenizerBase:
    """Open a tokenizer's folder, or fetch its files from the hub; code that comes with it never runs.

    If a folder has a tokenizer.json, this file decides. Some classes of transformers rebuild their tokenizer and drop
    its normalizer, so they split text differently: then a warning is given, and only the roles of the special tokens
    are taken from the class. If no file declares roles, they are those of the style that has the same tokens at the
    same ids.

    Raises HornbookError when the folder is missing, incomplete or damaged, when `Folder` refuses it, and when a hub
    name can't be fetched.
    """
    folder = Path(path)
    if not folder.is_dir():
        folder = fetch(path, "tokenizer", FILES)
    gated = Folder(folder)
    mapped, name = (gated.tokenizer_config.get(key) for key in ("auto_map", "tokenizer_class"))
    if isinstance(mapped, dict) and "AutoTokenizer" in mapped and not hasattr(transformers, str(name)):
        raise HornbookError(
            f"{path}: its tokenizer {name} is code that lies in it, and no tokenizer's code is run: if its "
            "tokenizer.json splits texts in the same way, leave auto_map out of its tokenizer_config.json"
        )
    with gated.harmless(weights=False) as place:
        tokenizer = _open(place, path)
    tokenizer.name_or_path = path
    check_ids(tokenizer.get_vocab(), path)
    return tokenizer


def check_ids(vocabulary: Mapping[str, int], path: Path | str) -> None:
    """Raise HornbookError for an id that no vocabulary reaches: a model would need a row for each below it."""
    if vocabulary and max(vocabulary.values()) > _HIGHEST:
        token = max(vocabulary, key=vocabulary.__getitem__)
        raise HornbookError(
            f"{path}: its token {token!r:.40} has the id {vocabulary[token]:,}, and at most {_HIGHEST:,} is opened: "
            "copy its tokenizer.json again"
        )


def _open(folder: Path, path: str) -> PreTrainedTokenizerBase:
    """Open what lies in a harmless copy of the folder at `path`."""
    rust = _read(folder)
    try:
        opened = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        opened.backend_tokenizer  # noqa: B018  a class written in Python has none
    except Exception as error:  # transformers has no one exception for what it can't open
        # Without a tokenizer_config.json, nothing says how to open it. If there is one, failing is an error.
        if rust is None or (folder / "tokenizer_config.json").exists():
            missing = "add its tokenizer.json" if rust is None else "mend its tokenizer_config.json"
            raise HornbookError(
                f"{path} can't be opened as a tokenizer ({one_line(error)}): {missing}"
            ) from error
        opened = None
    if opened is not None and rust is not None and _ids(rust) != _ids(opened.backend_tokenizer):
        warnings.warn(
            f"{path}: {type(opened).__name__} splits text differently from tokenizer.json; tokenizer.json is used",
            stacklevel=2,
        )
    elif opened is not None and declared_roles(opened):
        return opened
    rust = rust if rust is not None else opened.backend_tokenizer
    return wrap(rust, roles_of(rust, declared_roles(opened) if opened is not None else {}))


def _read(folder: Path) -> Tokenizer | None:
    """Read tokenizer.json, or else GPT-2's two files, without changes; None if there are neither."""
    whole, vocabulary, merges = (folder / name for name in ("tokenizer.json", "vocab.json", "merges.txt"))
    try:
        if whole.exists():
            rust = Tokenizer.from_file(str(whole))
            rust.no_truncation()
            rust.no_padding()
            return rust
        if vocabulary.exists() and merges.exists():
            rust = Tokenizer(models.BPE.from_file(str(vocabulary), str(merges)))
            rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            rust.decoder = decoders.ByteLevel()
            return rust
    except Exception as error:  # the Rust library raises nothing narrower
        name = whole.name if whole.exists() else f"{vocabulary.name} with {merges.name}"
        raise HornbookError(
            f"{folder}: {name} is damaged or not a tokenizer ({one_line(error)}): copy it again"
        ) from error
    return None


def roles_of(rust: Tokenizer, declared: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Keep the declared roles whose tokens the vocabulary has; if there are none, find the style by its ids."""
    roles = {role: token for role, token in declared.items() if rust.token_to_id(token) is not None}
    for style in STYLES.values():
        if not roles and all(rust.token_to_id(token) == i for i, token in enumerate(style.front)):
            roles = {r: token for r, token in style.roles.items() if rust.token_to_id(token) is not None}
    return roles


def _ids(rust: Tokenizer) -> list[list[int]]:
    return [encoding.ids for encoding in rust.encode_batch(_PROBES, add_special_tokens=False)]
