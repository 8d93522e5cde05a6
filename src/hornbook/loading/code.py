"""A model whose class is code that lies in its folder: run only where the user trusts whoever wrote it."""

from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError
from hornbook.families.custom import CODE, Custom, family_of_code
from hornbook.gate import Folder


def custom_family(
    folder: Folder, architecture: str | None, trust: bool | None, known: bool = False
) -> Custom | None:
    """Make the family of the class that a folder brings; None where it brings none.

    `known` tells that transformers has a class of that name, which is then meant unless Hornbook saved another.
    Raises HornbookError without `trust` (None where the command has no use for such a class), and where the file isn't
    the one that was saved with the weights.
    """
    facts = _named(folder, None if known else architecture)
    if facts is None:
        return None
    file, name = facts["file"], facts["class"]
    path = folder.path / file
    if Path(file).name != file or not folder.has(file):
        raise HornbookError(
            f"{folder.path}: its class {name} is in {file}, which isn't there: copy the folder again"
        )
    if trust is None:
        raise HornbookError(
            f"{folder.path}: its class {name} is code that lies in it, in {file}, and this works only with classes "
            "that transformers has: give another folder"
        )
    if not trust:
        raise HornbookError(
            f"{folder.path}: its class {name} is code that lies in it, in {file}: read that file, and if you trust "
            "whoever wrote it, give the same command with --trust"
        )
    folder.check_code()
    family = family_of_code(f"{path}:{name}")
    saved = facts.get("sha256")
    if saved and saved != family.source.sha256:
        raise HornbookError(
            f"{path}: its hash is {family.source.sha256[:12]}, and the weights were saved with {str(saved)[:12]}: "
            "bring back the file that was saved with them"
        )
    return family


def _named(folder: Folder, architecture: str | None) -> dict[str, Any] | None:
    """Read which class of which file a folder's config.json names; Hornbook's word comes before `auto_map`'s."""
    own = folder.config.get(CODE)
    if isinstance(own, dict) and {"file", "class"} <= own.keys():
        return {key: str(value) for key, value in own.items()}
    mapped = folder.config.get("auto_map")
    for named in mapped.values() if isinstance(mapped, dict) else ():
        module, _, name = str(named).partition(".")
        if name and name == architecture:
            return {"file": f"{module}.py", "class": name}
    return None
