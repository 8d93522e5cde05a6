"""A class in a file of a user's own: found by FILE:CLASS, imported once, and kept as it was then."""

import ast
import atexit
import hashlib
import importlib.util
import keyword
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from torch import nn

from hornbook.blame import raised_at, told
from hornbook.errors import HornbookError, nearest, one_line
from hornbook.internals import read

_relative_files = read("transformers.dynamic_module_utils:get_relative_import_files")


@dataclass(frozen=True)
class Source:
    """A class that a file defines, with the file as it was when it was imported."""

    path: Path
    found: type[nn.Module]
    files: tuple[Path, ...]
    """Copies of the file, and of those that it imports relatively, as they were imported."""
    sha256: str
    """The hash of all their contents."""

    @property
    def facts(self) -> dict[str, str]:
        """Say which class of which file it is, for run.json and config.json."""
        return {"file": self.path.name, "class": self.found.__name__, "sha256": self.sha256}


_READ: dict[tuple[Path, str], ModuleType] = {}
"""Modules by the file that they were read from and its hash: a changed file is another module."""


def read_class(where: str) -> Source:
    """Import the class that FILE.py:CLASS names; the file's code is run.

    Raises HornbookError, in one sentence, for a file that isn't there, can't be read or imported, and for a class that
    the file doesn't define or that is no module of PyTorch.
    """
    file, colon, name = where.rpartition(":")
    if not colon or not file or not name.isidentifier():
        raise HornbookError(f"{where}: write it as FILE.py:CLASS, such as my_gpt.py:MyGPT")
    path = Path(file)
    _check_file(path)
    files = [path, *map(Path, _relatives(path))]
    sha256 = hash_files(files)
    module = _READ.get((path.resolve(), sha256)) or _import(path, files, sha256)
    _READ[path.resolve(), sha256] = module
    found = getattr(module, name, None)
    defined = [
        one.__name__
        for one in vars(module).values()
        if isinstance(one, type) and one.__module__ == module.__name__
    ]
    if isinstance(found, type) and found.__module__ != module.__name__:
        raise HornbookError(
            f"{path}: {name} is imported from {found.__module__}, and not defined there: name a class that the file "
            f"defines ({', '.join(defined) or 'it has none'})"
        )
    if not isinstance(found, type):
        raise HornbookError(f"{path}: there is no class {name!r} in it{nearest(name, defined)}")
    if not issubclass(found, nn.Module):
        raise HornbookError(
            f"{path}: {name} is no torch.nn.Module, which a model has to be: name the model's class"
        )
    assert module.__file__ is not None
    copies = tuple(sorted(Path(module.__file__).parent.glob("*.py")))
    return Source(path, found, copies, sha256)


def hash_files(files: list[Path]) -> str:
    """Hash the contents of files, by their names' order."""
    total = hashlib.sha256()
    for file in sorted(files, key=lambda one: one.name):
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def _check_file(path: Path) -> None:
    if not path.is_file():
        others = sorted(one.name for one in path.parent.glob("*.py")) if path.parent.is_dir() else []
        raise HornbookError(
            f"{path}: there is no such file (looked for from {Path.cwd()}){nearest(path.name, others)}"
        )
    if path.suffix != ".py" or not path.stem.isidentifier() or keyword.iskeyword(path.stem):
        raise HornbookError(
            f"{path}: a saved model imports its code by the file's name, and Python can't import {path.name!r}: call "
            "it by letters, digits and _ alone, such as my_gpt.py"
        )
    try:
        ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError, OSError) as error:
        line = getattr(error, "lineno", None)
        text = (getattr(error, "text", None) or "").strip()
        at = f"{path.name}:{line}: {text[:80]}: " if line else ""
        raise HornbookError(
            f"{path}: {at}{getattr(error, 'msg', None) or one_line(error)}: Python can't read it"
        ) from error


def _relatives(path: Path) -> list[str]:
    """Name the files that a file imports from beside it. Raises HornbookError for one that isn't there."""
    text = path.read_text("utf-8")
    if copied := list(re.finditer(r"^\s*from (\.{2,3})(\w[\w.]*)? import", text, re.MULTILINE)):
        first = copied[0]
        around = "transformers.models" if first[1] == ".." else "transformers"
        right = ".".join(filter(None, (around, first[2])))
        more = f", and so in {len(copied) - 1} other lines" if len(copied) > 1 else ""
        number = text.count("\n", 0, first.start(1)) + 1
        raise HornbookError(
            f"{path}: {path.name}:{number} imports from {first[1]}{first[2] or ''}, "
            f"which is right inside of transformers alone: write from {right} import{more}"
        )
    try:
        return list(_relative_files(str(path)))
    except OSError as error:
        raise HornbookError(
            f"{path}: it imports {Path(str(error.filename)).name} from beside it, which isn't there: put that file "
            f"into {path.parent.resolve()}, or import from transformers what is in it"
        ) from error


def _import(path: Path, files: list[Path], sha256: str) -> ModuleType:
    """Import copies of the files, so that what a checkpoint carries is what ran, whatever is edited meanwhile.

    The last part of the module's name is the file's, since transformers writes it into `auto_map`.
    """
    place = Path(tempfile.mkdtemp(prefix="hornbook-code-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    for file in files:
        shutil.copyfile(file, place / file.name)
    around = f"hornbook_code_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}_{sha256[:8]}"
    package = ModuleType(around)
    package.__path__ = [str(place)]
    sys.modules[around] = package
    spec = importlib.util.spec_from_file_location(f"{around}.{path.stem}", place / path.name)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    try:
        # Compiled under the user's own path, which tracebacks and debuggers then show.
        exec(compile((place / path.name).read_bytes(), str(path.resolve()), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:  # whatever a user's file raises
        for name in [one for one in sys.modules if one.startswith(around)]:
            del sys.modules[name]
        if isinstance(error, ImportError):
            missing = error.name or one_line(error)
            raise HornbookError(
                f"{path}: it imports what isn't there: {one_line(error)}{raised_at(error.__traceback__)}: install "
                f"{missing.partition('.')[0]}, or correct the import"
            ) from error
        raise HornbookError(f"{path}: it can't be imported: {told(error)}") from error
    return module


def import_beside(source: Source, ending: str, text: str) -> ModuleType:
    """Write a module beside the imported copy of a class's file, named after it with an ending, and import it."""
    around, stem = source.found.__module__.rpartition(".")[0], f"{source.path.stem}{ending}"
    path = source.files[0].parent / f"{stem}.py"
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(f"{around}.{stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module
