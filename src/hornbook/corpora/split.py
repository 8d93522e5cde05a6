"""Which part a document belongs to; its content alone decides."""

from hashlib import blake2b


def is_heldout(document: str, fraction: float) -> bool:
    """Say whether a document belongs to the held-out part, about `fraction` (0 to 1) of all.

    The document's BLAKE2b hash, read as a fraction of 2**64, is compared with `fraction`: equal documents
    always fall on the same side, whatever their order, the process or the machine, and a larger fraction
    only adds documents.
    """
    digest = blake2b(document.strip().encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < fraction * 2**64
