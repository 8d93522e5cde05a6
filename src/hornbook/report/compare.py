"""Runs side by side: their rows, and the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hornbook.errors import HornbookError
from hornbook.frames import drawn, frame, shown
from hornbook.report.page import write_page
from hornbook.report.runs import read_run
from hornbook.report.table import compare_table, parts

if TYPE_CHECKING:
    from pandas import DataFrame


class InFolder(Protocol):
    """What lies in a folder, such as a run."""

    @property
    def folder(self) -> Path:
        """The folder."""
        ...


@dataclass(frozen=True)
class Comparison:
    """Runs side by side."""

    rows: list[dict[str, Any]]
    """A row for each run: what it is, and those figures that compare with each other."""
    page: Path
    parts: frozenset[str] = frozenset()
    """The keys of figures over a part of another figure's questions, such as one field of BLiMP's."""

    @property
    def figures(self) -> "DataFrame":
        """The rows as a pandas frame."""
        return frame(self.rows)

    def _repr_html_(self) -> str:
        """Draw it in a notebook."""
        across = [
            {"": key} | {row["name"]: shown(row[key]) for row in self.rows}
            for key in self.rows[0]
            if key != "name" and key not in self.parts
        ]
        return drawn("Runs compared", across, [f"The page: {self.page}"])


def compare(
    runs: Sequence[Path | str | InFolder] | Path | str | InFolder,
    page: Path | str = Path("runs/compare.html"),
    title: str = "Runs compared",
) -> Comparison:
    """Compare runs: what they are, what they were trained on and how well they do, by comparable figures only.

    `runs` are runs or their folders, or a single one; the page is written to `page`. Raises HornbookError for a folder
    without a run, and for what is neither.
    """
    several = runs if isinstance(runs, list | tuple) else [runs]
    if not several:
        raise HornbookError("there is no run to compare: give runs or their folders")
    read = [read_run(_folder(one)) for one in several]
    return Comparison(compare_table(read), write_page(read, Path(page), title), parts(read))


def _folder(run: object) -> Path:
    folder = run if isinstance(run, Path | str) else getattr(run, "folder", None)
    if folder is None:
        raise HornbookError(f"{type(run).__name__} is no run: give runs or their folders")
    return Path(folder)
