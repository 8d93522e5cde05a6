"""Which line of a user's own code is at fault: read off a traceback, or found in the source of a class."""

import ast
import inspect
import linecache
import sysconfig
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, TracebackType

from torch import nn

from hornbook.errors import one_line

_PYTHON, _HORNBOOK = sysconfig.get_path("stdlib"), str(Path(__file__).parent)

WRAPPER = "_for_transformers.py"
"""How the files end that Hornbook writes around plain modules."""


def is_own(file: str | None) -> bool:
    """Tell whether a file is a user's: neither Python's, nor Hornbook's, nor an installed package's."""
    if file is None or file.startswith(("<", _PYTHON, _HORNBOOK)) or file.endswith(WRAPPER):
        return False
    return not {"site-packages", "dist-packages"}.intersection(Path(file).parts)


def told(error: BaseException) -> str:
    """Put an error of a user's code into words: its kind, what it says, and the last line of theirs that ran.

    Where none of theirs ran, it is transformers' last line: a layer gave it what it can't use.
    """
    return f"{type(error).__name__}: {one_line(error)}{raised_at(error.__traceback__) or _raised_in(error)}"


def raised_at(traceback: TracebackType | None) -> str:
    """Say where a traceback leaves a user's code, as " (my_gpt.py:12: self.head(x))"; nothing where it never does."""
    return _last_line(traceback, is_own)


def _raised_in(error: BaseException) -> str:
    return _last_line(error.__traceback__, lambda file: "modeling" in Path(file).name)


def _last_line(traceback: TracebackType | None, counts: Callable[[str], bool]) -> str:
    found = ""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if counts(file):
            text = linecache.getline(file, traceback.tb_lineno).strip()
            found = f" ({Path(file).name}:{traceback.tb_lineno}{': ' if text else ''}{text[:80]})"
        traceback = traceback.tb_next
    return found


def is_users(module: nn.Module) -> bool:
    """Tell whether a module's class, by its `forward`, is a user's."""
    code = _forward(module)
    return code is not None and is_own(code.co_filename)


def written_at(module: nn.Module) -> str:
    """Say where the `forward` of a module's class stands, as "Attention, my_gpt.py:12"."""
    name, code = type(module).__name__, _forward(module)
    return f"{name}, {Path(code.co_filename).name}:{code.co_firstlineno}" if code else name


def _forward(module: nn.Module) -> CodeType | None:
    return getattr(inspect.unwrap(type(module).forward), "__code__", None)


def assigned_at(root: nn.Module, path: str) -> str:
    """Say where a user's code makes what lies at a path such as "layers.0.scale", as " (my_gpt.py:12)".

    What a library's class makes is followed to the layer around it. Nothing where no line of the user's is found.
    """
    parts = path.split(".")
    for depth in range(len(parts) - 1, -1, -1):
        owner = root.get_submodule(".".join(parts[:depth]))
        for kind in type(owner).__mro__:
            if line := _own_lines(kind).get(parts[depth]):
                return f" ({line})"
    return ""


def calls_of(root: nn.Module, name: str, without: str) -> list[str]:
    """List where a user's classes call a function of this name without an argument: "my_gpt.py:12"."""
    found = []
    for kind in dict.fromkeys(base for module in root.modules() for base in type(module).__mro__):
        for node, place in _nodes(kind):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
                named = {keyword.arg for keyword in node.keywords}
                functional = "functional" in ast.unparse(node.func) or ast.unparse(node.func)[:2] == "F."
                if functional and without not in named and len(node.args) < 3:
                    found.append(f"{place}:{node.lineno}")
    return found


@cache
def _own_lines(kind: type) -> dict[str, str]:
    """Map attributes that a user's class sets on `self` to their lines; {} for a library's class."""
    lines: dict[str, str] = {}
    for node, file in _nodes(kind):
        match node:
            case ast.Assign(targets=targets):
                names = [one.attr for one in targets if isinstance(one, ast.Attribute)]
            case ast.AnnAssign(target=ast.Attribute(attr=name)):
                names = [name]
            case ast.Call(
                func=ast.Attribute(attr="register_buffer" | "register_parameter"), args=[first, *_]
            ):
                names = [str(first.value)] if isinstance(first, ast.Constant) else []
            case _:
                continue
        for name in names:
            lines.setdefault(name, f"{file}:{getattr(node, 'lineno', 0)}")
    return lines


def _nodes(kind: type) -> Iterator[tuple[ast.AST, str]]:
    """Give the nodes of a user's class, numbered as in its file, and the file's name."""
    try:
        lines, first = inspect.getsourcelines(kind)
        file = inspect.getsourcefile(kind)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):  # a builtin, or made in a console
        return
    if not is_own(file):
        return
    ast.increment_lineno(tree, first - 1)
    for node in ast.walk(tree):
        yield node, Path(str(file)).name
