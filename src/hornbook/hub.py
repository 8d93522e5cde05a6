"""Files of models and tokenizers on the Hugging Face Hub."""

from pathlib import Path

from huggingface_hub import snapshot_download

from hornbook.errors import HornbookError, one_line


def fetch(name: str, what: str, patterns: list[str]) -> Path:
    """Find a hub repository's files in the cache, or fetch those that match `patterns`; return their folder.

    Raises HornbookError for an invalid hub name, and if the files can't be fetched; the message calls them a `what`.
    """
    if name.startswith(("/", ".", "~")) or name.count("/") > 1 or "\\" in name:
        raise HornbookError(f"there is no {what} folder {name}: give an existing one, or a name on the hub")
    try:
        return Path(snapshot_download(name, allow_patterns=patterns, local_files_only=True))
    except Exception:  # not in the cache
        pass
    try:
        return Path(snapshot_download(name, allow_patterns=patterns, etag_timeout=5))
    except Exception as error:  # network errors have many classes
        raise HornbookError(
            f"{name} is no folder here and can't be fetched from the hub ({one_line(error)}): check the name and the "
            "network, or give a folder"
        ) from error
