"""What all tests share: where the real data lies, when it is there."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real corpora and tokenizers, or a skip where this machine has none."""
    folder = Path(os.environ.get("HORNBOOK_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data is not here: {folder} (set HORNBOOK_DATA)")
    return folder
