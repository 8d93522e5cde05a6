"""One word for one thing: the names that were misread stay away, and no two classes share a name."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "hornbook"

MISREAD = {
    "Draws": "CounterRNG",
    "dress": "build_fast_tokenizer",
    "Cuts": "Chunking",
    "Stretches": "DocumentChunks",
    "Stretch": "ResolvedPhase",
    "Places": "Mask or Indices",
    "Learner": "LossModule",
    "learned": "hidden_and_labels, for a method of a family",
    "Opened": "LoadedModel",
    "opened": "load, for a function",
    "Kept": "Selection",
    "lean": "apply_optimized_kernels",
    "endings": "continuations",
    "score_endings": "score_continuations",
    "whole": "html, or a verb, for a function",
    "fate": "replacement",
    "_TOGETHER": "what is together, and why",
}
"""Names that people who know the field misread, and what they expected in their place."""

FUNCTIONS_ONLY = {"learned", "opened", "whole", "endings"}
"""Plain English words that are refused only as the name of a function or a class."""

SAME = {"LastLayer": "the last layer of two architectures, each with that of `last_layer.py`"}
"""Classes that share a name because they are the same thing, each in its family's file."""

TREES = {
    path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text("utf-8")) for path in SOURCE.rglob("*.py")
}


def misread(tree: ast.AST) -> Iterator[str]:
    """Give the misread names that a file binds, with their lines."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found = name
            case ast.arg(arg=name):
                found = name if name not in FUNCTIONS_ONLY else ""
            case ast.Name(id=name, ctx=ast.Store()) | ast.alias(asname=str(name)):
                found = name if name not in FUNCTIONS_ONLY else ""
            case _:
                continue
        if found in MISREAD:
            yield f"line {getattr(node, 'lineno', '?')}: {found}, which is {MISREAD[found]}"


def test_names_that_were_misread_are_nowhere() -> None:
    assert not {name: found for name, tree in TREES.items() if (found := list(misread(tree)))}


@pytest.mark.parametrize(
    "code", ["class Draws: ...", "def opened(): ...", "fate = 1", "def f(lean): ...", "import a as Kept"]
)
def test_a_misread_name_is_found(code: str) -> None:
    assert len(list(misread(ast.parse(code)))) == 1


def test_no_two_classes_share_a_name() -> None:
    files = defaultdict(set)
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                files[node.name].add(file)
    assert {name: found for name, found in files.items() if len(found) > 1}.keys() == SAME.keys()
    assert len(files) > 200


def test_no_file_is_called_by_a_misread_name() -> None:
    parts = {part for name in TREES for part in re.split(r"[/.]", name)}
    assert not parts & {"draws", "dress", "stretches", "learner", "kept", "lean", "endings"}
