"""The scripts of benchmarks, which no other test imports."""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def taken(script: Path) -> list[tuple[str, str]]:
    """List what a script takes from this repository: modules and names."""
    found = [
        (node.module, one.name)
        for node in ast.walk(ast.parse(script.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
        for one in node.names
    ]
    return [one for one in found if one[0].split(".")[0] in ("hornbook", "benchmarks")]


def is_there(module: str, name: str) -> bool:
    """Tell whether a module has a name; also true where a package that it needs is not installed."""
    try:
        found = import_module(module)
        return hasattr(found, name) or find_spec(f"{module}.{name}") is not None
    except ImportError as error:
        # Another package's, which not every machine has.
        return error.name is not None and error.name.split(".")[0] not in ("hornbook", "benchmarks")


@pytest.mark.parametrize("script", sorted(BENCHMARKS.rglob("*.py")), ids=lambda path: path.stem)
def test_what_a_script_takes_from_here_is_there(script: Path) -> None:
    """Renames had broken two of them, and nobody saw it."""
    assert [one for one in taken(script) if not is_there(*one)] == []
