"""The doctor, asked about folders or about objects of transformers."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hornbook.contract.check import Report
from hornbook.contract.doctor import examine, mend
from hornbook.errors import HornbookError
from hornbook.quiet import quieten_transformers


def doctor(
    model: PreTrainedModel | Path | str,
    tokenizer: PreTrainedTokenizerBase | Path | str | None = None,
    objective: str | None = None,
    text: str | None = None,
    trust: bool = False,
    fix: Path | str | None = None,
) -> Report:
    """Find what doesn't fit between tokenizer, model and objective, and say why it matters and how to mend it.

    `model` and `tokenizer` are folders or objects of transformers, which are looked at as their `save_pretrained`
    writes them, in a folder that is removed again. `text` are documents with blank lines between. For the rest see
    `examine`, and `mend` for `fix`, the new folder of a mended copy. Raises HornbookError where a folder can't be read,
    for objects of other kinds, and for a model as an object without its tokenizer.
    """
    quieten_transformers()
    if fix and trust:
        raise HornbookError("--fix mends folders of transformers' own classes: leave it out, or --trust")
    with TemporaryDirectory() as scratch:
        folders: dict[Path, str] = {}
        named = [
            _folder(given, kind, Path(scratch) / name, folders)
            for name, given, kind in (
                ("model", model, PreTrainedModel),
                ("tokenizer", tokenizer, PreTrainedTokenizerBase),
            )
        ]
        if tokenizer is None and folders:
            raise HornbookError("the model is an object, and no tokenizer is given: doctor(model, tokenizer)")
        at, beside = named
        assert at is not None
        report = (
            mend(fix, at, beside, objective, text) if fix else examine(at, beside, objective, text, trust)
        )
    return _without(report, folders)


def _folder(given: Any, kind: Any, place: Path, folders: dict[Path, str]) -> Path | None:
    """Give the folder of what is given; an object is saved to `place`, which is added to `folders` with its name."""
    if given is None or isinstance(given, Path | str):
        return Path(given) if given is not None else None
    if not isinstance(given, kind) and isinstance(folder := getattr(given, "folder", None), Path):
        return folder  # a run's
    if not isinstance(given, kind):
        raise HornbookError(
            f"the {place.name} is {type(given).__name__}: give a {kind.__name__} of transformers, or a folder"
        )
    given.save_pretrained(place)  # a PreTrainedModel, or a tokenizer
    folders[place] = f"the {place.name}"
    return place


def _without(report: Report, folders: dict[Path, str]) -> Report:
    """Name the objects where the folders stood that are gone."""
    problems = []
    for one in report.problems:
        found, fix = one.found, one.fix
        for folder, name in folders.items():
            found, fix = found.replace(str(folder), name), fix.replace(str(folder), name)
        problems.append(replace(one, found=found, fix=fix))
    return Report(problems, report.checked)
