"""Imports run one way: no module needs, by any way, a module that needs it."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"


def imported(path: Path, modules: set[str]) -> set[str]:
    """Name the modules that a file imports, wherever in the file, also for types alone."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & modules or {node.module}  # of a package, only the modules that are named
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & modules


def test_there_is_no_circle() -> None:
    files = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in SOURCE.rglob("*.py")
    }
    assert len(files) > 200
    needs = {name: imported(path, set(files)) for name, path in files.items()}
    for name, found in needs.items():
        # To import a module is to import the packages around it first, but for those that it stands in itself.
        around = {one.rsplit(".", depth)[0] for one in found for depth in range(1, one.count("."))}
        needs[name] = found | {one for one in around & set(files) if not f"{name}.".startswith(f"{one}.")}
    order = list(TopologicalSorter(needs).static_order())  # raises CycleError, which shows the circle
    assert len(order) == len(files)


def test_files_are_short() -> None:
    """One subject a file, and a command's file parses, calls one function and prints."""
    lines = {
        str(path.relative_to(SOURCE)): len(path.read_text("utf-8").splitlines())
        for path in SOURCE.rglob("*.py")
    }
    assert {name: count for name, count in lines.items() if count > 300} == {}
    assert {name: count for name, count in lines.items() if "cli/" in name and count > 80} == {}


def test_only_the_command_line_prints() -> None:
    """What works in a notebook or in somebody's program logs."""
    console = {"rich", "rich.console", "rich.progress", "rich.table", "typer"}
    for path in SOURCE.rglob("*.py"):
        name = str(path.relative_to(SOURCE))
        drawn = ("hornbook/bars.py", "hornbook/console.py")  # on standard error, or in a notebook
        if "cli/" in name or name in (*drawn, "hornbook/contract/catalogue.py"):  # a page on standard output
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            printing = isinstance(node, ast.Call) and getattr(node.func, "id", None) == "print"
            assert not printing, f"{name}:{node.lineno} prints"
            assert not (isinstance(node, ast.ImportFrom) and node.module in console), f"{name} knows Rich"
