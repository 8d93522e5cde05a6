"""A study from its file to its answers, for the command line and for notebooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.console import reporter
from hornbook.errors import HornbookError
from hornbook.frames import drawn, frame
from hornbook.machine import cores
from hornbook.report.study import shown
from hornbook.reporter import Reporter
from hornbook.studies.cluster import On
from hornbook.studies.conduct import conduct
from hornbook.studies.study import read_study

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Answered:
    """What a study found."""

    folder: Path
    facts: dict[str, Any]
    """All of it as plain values, as `answer.json` in the folder holds it."""

    @property
    def page(self) -> Path:
        """The page that shows it all."""
        return self.folder / "page.html"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row for each arm: the mean of each figure over the seeds."""
        return [
            {"arm": arm}
            | {
                name: shown(values, self.facts["figures"][name]["unit"])
                for name, values in one["values"].items()
            }
            for arm, one in self.facts["arms"].items()
        ]

    @property
    def failed(self) -> bool:
        """Whether a run failed; the same command tries it again."""
        return any(one["failed"] for one in self.facts["arms"].values())

    @property
    def sentences(self) -> list[str]:
        """The answers in words, and what to know about them."""
        return [*(one["sentence"] for one in self.facts["answers"]), *self.facts["remarks"]]

    @property
    def figures(self) -> "DataFrame":
        """Each figure of each run, as a pandas frame: arm, seed, figure, value."""
        return frame(
            {"arm": arm, "seed": seed, "figure": name, "value": value}
            for arm, one in self.facts["arms"].items()
            for name, values in one["values"].items()
            for seed, value in enumerate(values)
        )

    def _repr_html_(self) -> str:
        """Draw it in a notebook: the question, the answers, the arms."""
        return drawn(self.facts["question"], self.rows, [*self.sentences, f"The page: {self.page}"])


def study(
    file: Path | str,
    settings: Sequence[str] = (),
    out: Path | str | None = None,
    seeds: int | None = None,
    processes: int = 0,
    tokens: int | None = None,
    data: Path | str | None = None,
    on: On | None = None,
    *,
    report: Reporter | None = None,
) -> Answered:
    """Train a study's arms with several seeds, compare them, and write the results on a page.

    `file` is a study's file or the name of a shipped one; each of the `settings` changes one value; `out` is
    runs/studies/NAME by default. With 0 `processes`, as many runs go on at once as there are cores. `seeds` and
    `tokens` replace the study's own; `data` is a folder with the files of the measures' tasks. `on` sends each run as a
    job of its own: to Slurm, or to a process here. Raises as `conduct` does.
    """
    if not isinstance(file, Path | str):
        raise HornbookError(
            f"the study is of the type {type(file).__name__}: give its file, or a shipped one's name"
        )
    design = read_study(Path(file), list(settings), seeds, tokens, Path(data) if data else None)
    folder = Path(out) if out else Path("runs/studies") / design.name
    return Answered(folder, conduct(design, folder, processes or cores(), report or reporter(), on=on))
