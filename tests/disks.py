"""File systems of a test's own, which root may make, and whoever is root in a namespace of users."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def own_disk(place: Path, size: str = "50%") -> Iterator[Path]:
    """Make a file system at `place` while a block runs.

    Where this may not be done the test is skipped; with HORNBOOK_CI, which `.ci/run` sets, it fails: else a forge
    without root would never try it.
    """
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        told = f"a file system needs root: unshare --user --map-root-user --mount make test ({made.stderr.strip()})"
        (pytest.fail if os.environ.get("HORNBOOK_CI") else pytest.skip)(told)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)
