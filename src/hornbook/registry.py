"""Classes that a recipe can name and other packages can add, found by Python's entry points.

An entry point is a line in a package's pyproject.toml: `[project.entry-points."hornbook.families"]`, then
`mamba = "hornbook_mamba:Mamba"`. Hornbook's own families, objectives and measures are found in the same way.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from inspect import get_annotations
from typing import Any, Generic, TypeVar

from hornbook.errors import HornbookError, nearest

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """The entries of one group, sorted by name; loaded at the first use.

    `accept` turns the object of an entry point into an entry, and raises HornbookError if the object doesn't declare
    what the rest of the code needs. Raises HornbookError, with the package's name, for an entry point that can't be
    loaded, and for a name that two packages use.
    """

    def __init__(
        self,
        group: str,
        what: str,
        accept: Callable[[str, Any], T],
        may_be_empty: bool = False,
    ) -> None:
        self.group, self.what, self._accept, self._may_be_empty = group, what, accept, may_be_empty

    @classmethod
    def of(cls, group: str, what: str, base: type[Any]) -> "Registry[T]":
        """Make a registry of subclasses of `base` that declare all; its entries are their instances."""

        def accept(name: str, found: Any) -> T:
            check_declared(what, name, found, base)
            made: T = found()
            return made

        return cls(group, what, accept)

    @cached_property
    def _entries(self) -> dict[str, T]:
        found: dict[str, EntryPoint] = {}
        for point in sorted(entry_points(group=self.group), key=lambda point: point.name):
            # A package can be found twice: in its folder, and installed.
            if (other := found.get(point.name)) and other.value != point.value:
                raise HornbookError(
                    f"two packages register the {self.what} {point.name}: {_package(other)} as {other.value}, and "
                    f"{_package(point)} as {point.value}: uninstall one of them"
                )
            found[point.name] = point
        if not found and not self._may_be_empty:
            raise HornbookError(
                f"no {self.what} is registered, not even Hornbook's own: install Hornbook, by pip install -e . in its "
                "folder"
            )
        return {name: self._load(point) for name, point in found.items()}

    def _load(self, point: EntryPoint) -> T:
        try:
            loaded = point.load()
        except Exception as error:  # a package's import can fail in any way
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise HornbookError(
                f"the {self.what} {point.name} of the package {_package(point)} can't be loaded ({reason}): "
                "update the package, or uninstall it"
            ) from error
        return self._accept(point.name, loaded)

    def __getitem__(self, name: str) -> T:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, name: str) -> T:
        """Return an entry; raises HornbookError with the nearest name if there is none."""
        if name not in self._entries:
            raise HornbookError(f"there is no {self.what} {name!r}{nearest(str(name), list(self))}")
        return self[name]


def check_declared(what: str, name: str, found: type, base: type) -> None:
    """Raise HornbookError for anything but a subclass of `base` that declares all that `base` requires.

    A class has to declare each name that `base` annotates without a value; the docstring under the name explains it.
    """
    if not (isinstance(found, type) and issubclass(found, base)):
        raise HornbookError(f"the {what} {name} is {found!r}, and has to be a subclass of {base.__name__}")
    missing = [wanted for wanted in _wanted(base) if not hasattr(found, wanted)]
    if missing:
        raise HornbookError(
            f"the {what} {name} ({found.__module__}.{found.__name__}) doesn't declare {', '.join(missing)}: nothing of "
            f"it is guessed, so declare it in the class, as {base.__module__}.{base.__name__} describes it"
        )
    fields = getattr(found, "model_fields", {})  # in a section of a recipe, the name is an option
    own = fields["name"].default if "name" in fields else getattr(found, "name", name)
    if own != name:
        raise HornbookError(f"the {what} {name} calls itself {own!r}: give both the same name")


def _wanted(base: type) -> list[str]:
    return [name for name in get_annotations(base) if not hasattr(base, name)]


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value.partition(".")[0]
