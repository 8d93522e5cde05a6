"""Files of Hornbook's own that are read back: each says its own hash, or a folder's manifest does, so damage is found.

A JSON file ends with `sha256`, the hash of all else in it. A folder's `manifest.json` is such a file too, and has each
file's length and hash. Neither keeps anybody from changing a file on purpose: they find what was torn, zeroed or
altered by accident.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hornbook.atomic import beside
from hornbook.disk import in_words
from hornbook.errors import Damaged

MANIFEST = "manifest.json"
_SEAL = "sha256"
_LARGEST = 2**28


def seal(facts: Mapping[str, Any]) -> str:
    """Write facts as JSON that ends with its own hash."""
    facts = json.loads(json.dumps(facts))  # as it will be read: tables' keys are texts
    return json.dumps({**facts, _SEAL: _hash(facts)}, indent=2, ensure_ascii=False)


def write_sealed(path: Path, facts: Mapping[str, Any]) -> None:
    """Write JSON with its own hash, under another name; then rename the file."""
    with beside(path) as file:
        file.write_text(seal(facts), "utf-8")


def read_sealed(path: Path, way_on: str) -> dict[str, Any]:
    """Read JSON that `write_sealed` wrote. Raises Damaged, with the `way_on`, where it isn't as it was written.

    A file that doesn't say its hash is one of an older version, and is taken as it is.
    """
    return _read(path, way_on)[0]


def write_manifest(folder: Path) -> None:
    """Write down the length and the hash of every file in a folder, once they are all there."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    listed = {file.relative_to(folder).as_posix(): _state(file) for file in files}
    (folder / MANIFEST).write_text(seal({"files": listed}), "utf-8")


def find_damage(folder: Path) -> str | None:
    """Compare a folder with its manifest: say what is missing, torn or altered, or return None.

    Files that the manifest doesn't name may have been added later, but for a manifest of an older version, which
    doesn't say its own hash. Raises HornbookError where a file may not be read: that is no damage.
    """
    try:
        manifest, sealed = _read(folder / MANIFEST, "it can't be trusted")
        files = manifest["files"]
        if not sealed:
            found = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
            if unnamed := found - {MANIFEST, *files}:
                return f"{MANIFEST} doesn't name {min(unnamed)}"
        for name, facts in files.items():
            file = folder / name
            if not file.resolve().is_relative_to(folder.resolve()):
                return f"{MANIFEST} names {name!r}, which leads out of the folder"
            if not file.is_file():
                return f"{name} is missing"
            if (size := file.stat().st_size) != facts["bytes"]:
                return f"{name} is torn: it has {size:,} bytes, the manifest says {facts['bytes']:,}"
            if (digest := _digest(file)) != facts["sha256"]:
                return f"{name} was altered: its SHA-256 is {digest[:12]}, the manifest says {facts['sha256'][:12]}"
    except PermissionError:
        with in_words(folder):
            raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, Damaged) as error:
        return f"a file can't be read ({error!s:.200})"
    return None


def newest_first(folder: Path) -> list[Path]:
    """List a run's checkpoints, damaged ones too, from the newest to the oldest."""
    found = [path for path in folder.glob("step-*") if path.name.removeprefix("step-").isdecimal()]
    return sorted(found, key=lambda path: int(path.name.removeprefix("step-")), reverse=True)


def _read(path: Path, way_on: str) -> tuple[dict[str, Any], bool]:
    """Read JSON, and tell whether it says its own hash."""
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is not a file")  # a pipe would be waited for
        if (size := path.stat().st_size) > _LARGEST:
            raise ValueError(f"it has {size:,} bytes, and at most {_LARGEST:,} are read")
        facts = json.loads(path.read_text("utf-8"))
        if not isinstance(facts, dict):
            raise ValueError(f"it holds a {type(facts).__name__}, not a table")
        sealed = facts.pop(_SEAL, None)
        if sealed not in (None, found := _hash(facts)):
            raise ValueError(f"its content has the hash {found[:12]}, and it says {sealed!s:.12}")
    except PermissionError:
        with in_words(path):
            raise
    except (OSError, ValueError, RecursionError) as error:
        raise Damaged(f"{path}: was torn or altered ({error!s:.200}): {way_on}") from error
    return facts, sealed is not None


def _state(file: Path) -> dict[str, int | str]:
    return {"bytes": file.stat().st_size, "sha256": _digest(file)}


def _digest(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _hash(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
