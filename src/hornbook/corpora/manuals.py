"""The embedded corpus: the English that every CPython carries.

The language reference is in `pydoc_data.topics`. The standard library's docstrings are read from its source, which is
parsed and never imported, so that the documents depend on the interpreter alone.
"""

import ast
import functools
import gc
import hashlib
import importlib
import inspect
import os
import platform
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hornbook.corpora.prose import paragraphs, sections
from hornbook.errors import HornbookError

SHORTEST = 200
"""In characters; shorter texts are joined with their neighbours, or left out."""
LONGEST = 6000
"""In characters; longer documents are cut between two paragraphs."""

# Tests are not prose, idlelib and lib2to3 are programs, encodings are tables, and `_topics` reads pydoc_data.
_LEFT_OUT = frozenset(
    {"test", "tests", "idle_test", "idlelib", "lib2to3", "encodings", "pydoc_data", "ensurepip"}
)


class _Subject(NamedTuple):
    """A subject of the manuals: its title, and (name, documentation) of itself and of its members."""

    title: str
    texts: list[tuple[str, str]]


@functools.cache
def documents() -> tuple[str, ...]:
    """Return the manuals' documents, about 2 MB in all, in a fixed order; computed once a process (seconds).

    Each document is a section of the language reference, a class with its methods, or a module with its functions, in
    plain paragraphs. No two documents share a paragraph. Raises HornbookError if the standard library has no source.
    """
    seen: set[str] = set()
    found: list[str] = []
    for subjects in (*_topics(), _builtins(), *_library()):
        small: list[str] = []
        for title, texts in subjects:
            told = [line for name, text in texts for line in _told(name, text, seen)]
            if sum(map(len, told)) < SHORTEST:
                small += told
            else:
                found += _bound(title, told)
        if sum(map(len, small)) >= SHORTEST:
            found += _bound("", small)
    return tuple(found)


def fingerprint() -> str:
    """Return a hex id of all documents: the same on every run of one interpreter."""
    digest = hashlib.blake2b(digest_size=16)
    for document in documents():
        digest.update(document.encode() + b"\0")
    return digest.hexdigest()


def describe() -> str:
    """Name the manuals and the interpreter that they came with."""
    return f"the Python manuals ({platform.python_implementation()} {platform.python_version()})"


def _told(name: str, text: str, seen: set[str]) -> Iterator[str]:
    """Yield the paragraphs that weren't seen before; the first begins with the name."""
    lead = f"{name}: " if name else ""
    for paragraph in paragraphs(text):
        if paragraph not in seen:
            seen.add(paragraph)
            yield lead + paragraph.removeprefix("- " if lead else "")
            lead = ""


def _bound(title: str, told: list[str]) -> Iterator[str]:
    """Join paragraphs into titled documents that end with the paragraph that reaches LONGEST characters."""
    start, size = 0, 0
    for end, paragraph in enumerate(told, start=1):
        size += len(paragraph)
        rest = sum(map(len, told[end:]))
        if not rest or (size >= LONGEST and rest >= SHORTEST):
            body = "\n\n".join(told[start:end]).replace("\n\n- ", "\n- ")
            yield f"{title}\n\n{body}" if title else body
            start, size = end, 0


def _topics() -> Iterator[list[_Subject]]:
    from pydoc_data.topics import topics

    # Many topics are also a part of a longer one. The shortest come first, so that a repeated paragraph stays in the
    # topic that is about it.
    for _, text in sorted(topics.items(), key=lambda topic: (len(topic[1]), topic[0])):
        yield [_Subject(heading, [("", body)]) for heading, body in sections(text)]


def _builtins() -> list[_Subject]:
    """Describe the modules that are written in C and linked into the interpreter."""
    subjects = []
    for module_name in sorted(sys.builtin_module_names):
        module = importlib.import_module(module_name)
        public = [(name, thing) for name, thing in sorted(vars(module).items()) if not name.startswith("_")]
        # Hooks may be replaced, so their docstrings depend on the running program.
        functions = [(name, f) for name, f in public if inspect.isbuiltin(f) and not name.endswith("hook")]
        subjects.append(_Subject(f"The {module_name} module", _documented([("", module), *functions])))
        for name, kind in public:
            if inspect.isclass(kind) and kind.__module__ == module_name:
                methods = [(f"{name}.{n}", m) for n, m in sorted(vars(kind).items()) if not n.startswith("_")]
                subjects.append(_Subject(f"The {name} class", _documented([("", kind), *methods])))
    return subjects


def _documented(things: list[tuple[str, object]]) -> list[tuple[str, str]]:
    return [(name, thing.__doc__) for name, thing in things if isinstance(thing.__doc__, str)]


def _library() -> Iterator[list[_Subject]]:
    root = Path(sysconfig.get_paths()["stdlib"])
    found = False
    for path in _sources(root):
        found = True
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        yield list(_described(f"{name} module", _parse(path)))
    if not found:
        raise HornbookError(
            f"the embedded corpus is read from the standard library's source, and {root} holds none; "
            "use a CPython that carries it, or name a text of your own in corpus.path"
        )


def _parse(path: Path) -> ast.Module:
    """Parse a source file with the garbage collector off, which would take a quarter of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        # Under -OO, ast.parse drops docstrings from Python 3.13 on; optimize=0 keeps them.
        source, only_tree = path.read_bytes(), ast.PyCF_ONLY_AST
        tree: ast.Module = compile(source, str(path), "exec", only_tree, dont_inherit=True, optimize=0)
        return tree
    finally:
        if collecting:
            gc.enable()


def _sources(root: Path) -> Iterator[Path]:
    """Yield the standard library's own files in a fixed order, without packages that were installed beside them."""
    for folder, folders, files in os.walk(root):
        names = sys.stdlib_module_names if Path(folder) == root else None
        folders[:] = sorted(f for f in folders if f not in _LEFT_OUT and (names is None or f in names))
        for file in sorted(files):
            if file.endswith(".py") and (names is None or file[:-3] in names):
                yield Path(folder, file)


def _described(where: str, tree: ast.Module) -> Iterator[_Subject]:
    yield _Subject(f"The {where}", _docstrings("", tree))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield _Subject(f"The {node.name} class of the {where}", _docstrings(f"{node.name}.", node))


def _docstrings(prefix: str, owner: ast.Module | ast.ClassDef) -> list[tuple[str, str]]:
    """Collect (name, docstring) of a module or class and of the functions in it."""
    nodes = [n for n in owner.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    named = [("", ast.get_docstring(owner)), *((prefix + n.name, ast.get_docstring(n)) for n in nodes)]
    return [(name, text) for name, text in named if text]
