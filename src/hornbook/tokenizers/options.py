"""The options of a recipe's tokenizer."""

from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from hornbook.section import Section


class TokenizerOptions(Section):
    """A tokenizer to train from the corpus, or an existing one."""

    path: str | None = None
    """An existing tokenizer's folder, or its name on the hub; with it, no other option may be set."""
    kind: Literal["bpe", "unigram", "wordpiece"] = "bpe"
    """How words are split: byte-level BPE, Unigram with bytes for unknown characters, or WordPiece."""
    vocab_size: int = Field(8192, ge=1, le=2**31)
    """Entries of the vocabulary, special tokens and sentinels included; a small corpus may yield fewer."""
    style: str | None = None
    """Which special tokens it has, and at which ids; by default the family's own."""
    sentinels: int | None = Field(None, ge=0, le=10**6)
    """How many <extra_id_*> tokens; by default 100 for a seq2seq model, otherwise none."""
    lowercase: bool = False
    """Lower-case all text; accents stay."""
    normalize: Literal["none", "nfc", "nfkc"] = "nfc"
    """The Unicode normalization form of the text, applied first."""
    min_frequency: int = Field(2, ge=1, le=2**31)
    """How often a merge (bpe, wordpiece) or a character (wordpiece) must occur to enter the vocabulary."""

    @model_validator(mode="before")
    @classmethod
    def _path_stands_alone(cls, given: Any) -> Any:
        """Refuse other options beside a path.

        This runs before pydantic checks types: a null that should remove an option would have a wrong type.
        """
        if not isinstance(given, dict) or given.get("path") is None:
            return given
        fields = cls.model_fields.items()
        others = [
            name
            for name, field in fields
            if name != "path" and given.get(name, field.default) != field.default
        ]
        if others:
            alone = yaml.safe_dump({"path": given["path"]}, default_flow_style=True, width=10**6).strip()
            raise ValueError(
                f"path {given['path']!r} names an existing tokenizer, so {', '.join(others)} can't be chosen: "
                f"remove {'them' if len(others) > 1 else 'it'}, or remove path; on the command line, "
                f'--set "tokenizer={alone}" keeps only path'
            )
        return given
