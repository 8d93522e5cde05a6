"""What makes two tokenizers the same."""

import hashlib
import json

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

_PER_CALL = ("post_processor", "padding", "truncation")


def backend(tokenizer: Tokenizer | PreTrainedTokenizerBase) -> Tokenizer:
    """Return the Rust tokenizer itself, without transformers' class around it."""
    return tokenizer if isinstance(tokenizer, Tokenizer) else tokenizer.backend_tokenizer


def tokenizer_hash(tokenizer: Tokenizer | PreTrainedTokenizerBase) -> str:
    """Hash everything that decides the ids of a text's words: hex SHA-256 of its canonical JSON.

    Template, padding and truncation don't count. So a tokenizer has the same hash with and without transformers' class,
    before and after it is saved and loaded. Scores are rounded to six decimals, since the Rust library's JSON changes
    later ones.
    """
    state = json.loads(backend(tokenizer).to_str(), parse_float=lambda digits: round(float(digits), 6))
    kept = {key: value for key, value in state.items() if key not in _PER_CALL}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
