"""Give a finished run to the Hugging Face Hub: model, tokenizer, card, recipe, figures."""

import re
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, HfApi

from hornbook.errors import Damaged, HornbookError, one_line
from hornbook.report.card import FILE, write_card
from hornbook.sealed import MANIFEST, find_damage

_BESIDE = ("recipe.yaml", "run.json", "evaluation.json", "contract.json")
"""What goes along of the run's folder."""


def push(folder: Path, name: str, *, private: bool = False, dry: bool = False) -> list[str]:
    """Upload a run to the repository OWNER/NAME in one commit, which is made where there is none; list its files.

    With `dry`, nothing leaves this machine. The card is written anew, with the figures that the run has by now. Raises
    HornbookError for an unfinished run, a name that isn't OWNER/NAME, and where the hub can't be reached or refuses.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise HornbookError(f"{name!r} is no repository of the hub: write it as OWNER/NAME")
    card = write_card(folder)
    model = folder / "model"
    if not (model / "config.json").is_file():
        raise HornbookError(
            f"{folder}: its training hasn't ended: run hornbook train with its recipe.yaml first"
        )
    if (model / MANIFEST).is_file() and (problem := find_damage(model)):
        raise Damaged(f"{model}: {problem}: run hornbook train with its recipe.yaml, which mends it")
    files = {path.relative_to(model).as_posix(): path for path in sorted(model.rglob("*")) if path.is_file()}
    files |= {one: folder / one for one in _BESIDE if (folder / one).is_file()}
    files |= {path.relative_to(folder).as_posix(): path for path in sorted((folder / "tasks").glob("*.json"))}
    files[FILE] = card
    if not dry:
        _upload(name, files, private)
    return sorted(files)


def _upload(name: str, files: dict[str, Path], private: bool) -> None:
    added: list[Any] = [CommitOperationAdd(there, here) for there, here in files.items()]
    try:
        hub = HfApi()
        hub.create_repo(name, private=private, exist_ok=True)
        hub.create_commit(name, added, commit_message="A model trained with Hornbook")
    except Exception as error:  # those of the network and of the hub have many classes
        raise HornbookError(
            f"{name} can't be uploaded ({one_line(error)}): check the network, and log in with hf auth login"
        ) from error
