"""The package's own doors: quick to import, and each name leads to the function that the command line calls."""

import importlib
import inspect
import keyword
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import typer

import hornbook
from hornbook.cli import app


def test_import_is_quick_and_loads_no_torch() -> None:
    """0.3 seconds are a goal, and a timed assertion would say more of the machine: what costs them isn't loaded."""
    heavy = {"torch", "transformers", "rich", "numpy", "pandas"}
    code = f"import sys, hornbook; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_help_loads_no_torch() -> None:
    code = (
        "import sys; from hornbook.cli import app\n"
        "try: app(['train', '--help'])\n"
        "except SystemExit: print(sorted({'torch', 'transformers'} & set(sys.modules)), file=sys.stderr)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr == "[]\n"


@pytest.mark.long
def test_every_name_is_there() -> None:
    for name in hornbook.__all__:
        assert getattr(hornbook, name) is not None
    assert hornbook.train.__module__ == "hornbook.training.train"
    assert dir(hornbook) == hornbook.__all__
    assert not hasattr(hornbook, "trian")


def commands(group: typer.Typer, before: str = "") -> Iterable[tuple[str, Callable[..., Any]]]:
    """Name the command line's commands, `tokenizer train` as "tokenizer.train"."""
    for one in group.registered_commands:
        assert one.callback
        yield before + (one.name or one.callback.__name__), one.callback
    for inner in group.registered_groups:
        assert inner.typer_instance
        yield from commands(inner.typer_instance, f"{inner.typer_instance.info.name}.")


OWN = {"json", "trust", "settings", "more", "html", "show"}
"""What only the command line has: its output, `hb.load(folder, trust=True)`, arguments in place of settings."""

OTHER_NAMES = {
    "init": {"folder": "out"},
    "tokenizer.train": {"corpus_path": "corpus"},
    "finetune": dict.fromkeys(("epochs", "batch", "learning_rate", "patience"), "changes"),
}
"""What a function calls otherwise, for what it takes is another thing than a word of a command line."""


FUNCTIONS = "train init evaluate unmask generate infill compare study doctor finetune show play"
DENSE = "add select train delete generate experiments tasks questions prove"
TOKENIZER = "train import inspect reindex"
ROOMS = [
    f"{room}.{name}" for room, names in (("tokenizer", TOKENIZER), ("dense", DENSE)) for name in names.split()
]

ELSEWHERE = {"families.describe": "presets.describe"}
"""Commands whose function isn't one of `import hornbook`'s names."""


@pytest.mark.parametrize("name", [*FUNCTIONS.split(), *ROOMS, *ELSEWHERE])
def test_functions_have_the_command_lines_names_and_defaults(name: str) -> None:
    command = dict(commands(app))[name]
    room, _, last = f"hornbook.{ELSEWHERE.get(name, name)}".rpartition(".")
    function = getattr(importlib.import_module(room), last + "_" * keyword.iskeyword(last))
    theirs, ours = inspect.signature(command).parameters, inspect.signature(function).parameters
    options = any(one.kind is one.VAR_KEYWORD for one in ours.values())
    for option in set(theirs) - OWN:
        said = OTHER_NAMES.get(name, {}).get(option, option)
        assert said in ours or options, f"hornbook.{name} has no {said}"
        default = theirs[option].default
        if default is inspect.Parameter.empty or said != option or said not in ours:
            continue
        assert ours[said].default == default or not (ours[said].default or default), f"{name}: {option}"
