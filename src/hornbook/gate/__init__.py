"""The one gate for what strangers made: folders of models and tokenizers, single files of theirs, records of runs.

SECURITY.md says what is never run, what is bounded and what is refused; this package does it.
"""

from hornbook.gate.files import plain_file, read_object, read_small
from hornbook.gate.folder import SHIPPED, TOKENIZER_FILES, Folder
from hornbook.gate.patterns import check_patterns
from hornbook.gate.weights import check_finite, check_room, not_finite

__all__ = [
    "SHIPPED",
    "TOKENIZER_FILES",
    "Folder",
    "check_finite",
    "check_patterns",
    "check_room",
    "not_finite",
    "plain_file",
    "read_object",
    "read_small",
]
