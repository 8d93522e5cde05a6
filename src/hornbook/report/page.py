"""Runs side by side on one HTML page, which needs no network and no other file.

The page holds text that a model wrote, and may be opened by anybody. So everything is escaped, and a content security
policy allows exactly two scripts, by their hashes, and no network.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from hornbook.errors import HornbookError
from hornbook.families import FAMILIES
from hornbook.objectives import OBJECTIVES
from hornbook.report.asked import AskedQuestion, Longer, put_beside
from hornbook.report.comparison import labels, objective_of, remarks, tokenizer_of
from hornbook.report.curves import charts
from hornbook.report.duration import duration
from hornbook.report.html import write_html
from hornbook.report.runs import RunRecord, Sample, SavedMeasure
from hornbook.report.table import columns

if TYPE_CHECKING:
    from hornbook.report.live import Live

KINDS = {"unmask": "Unmasking", "generate": "Continuing", "infill": "Filling in"}


def write_page(
    runs: Sequence[RunRecord],
    path: Path | str,
    title: str = "Runs side by side",
    live: "Live | None" = None,
    asked: Sequence[AskedQuestion] = (),
    longer: Longer | None = None,
) -> Path:
    """Write the page that compares the runs, in this order, and return its path.

    A `live` page says how far its run is, and loads itself again. What the first run was `asked` stands before the
    figures, and the curve of a `longer` run beside its own. The file is written under another name, then
    renamed. Raises HornbookError if there are no runs, or the path can't be written.
    """
    if not runs:
        raise HornbookError("there is no run to show; give at least one run's folder")
    drawn = charts(runs)
    if longer:
        put_beside(drawn, longer, len(runs))
    return write_html(
        Path(path),
        "page.html",
        "page.js",
        ["page.css"],
        [figure, short, duration, filled, begin, continued],
        drawn,
        title=title,
        live=live,
        asked=asked,
        longer=longer,
        runs=list(zip(runs, labels(runs), strict=True)),
        corpora=list(dict.fromkeys(run.corpus for run in runs)),
        families={name: family.title for name, family in FAMILIES.items()},
        objective_of=objective_of,
        lessons=lessons(runs),
        tokenizer_of=tokenizer_of,
        remarks=remarks(runs),
        # Two or four charts go in rows of two, other numbers in rows of three.
        across=min(len(drawn), 2 if len(drawn) in (2, 4) else 3),
        columns=columns(runs),
        explanations=explanations(runs),
        samples=samples(runs),
    )


def lessons(runs: Sequence[RunRecord]) -> list[tuple[str, str]]:
    """Tell a learner, once for each objective of the runs, what a model learns by it."""
    names = dict.fromkeys(run.objective for run in runs)
    return [(OBJECTIVES[name].title, OBJECTIVES[name].lesson) for name in names if name in OBJECTIVES]


def explanations(runs: Sequence[RunRecord]) -> list[tuple[str, list[SavedMeasure]]]:
    """Collect for each measure, without repeats, how it was computed, over which text, and what it compares with."""
    told: dict[str, dict[tuple[str, str, str], SavedMeasure]] = {}
    for column in columns(runs):
        for cell in filter(None, column.cells):
            told.setdefault(column.heading, {}).setdefault((cell.rule, cell.over, cell.comparable), cell)
    return [(heading, list(cells.values())) for heading, cells in told.items()]


def samples(runs: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Group the samples by kind and prompt, so that samples of the same prompt stand side by side.

    A kind has a `title`, its `runs` (the number of runs with such samples) and its `prompts`: pairs of a prompt and its
    list of (run index, sample), in the order of the runs.
    """
    kinds: dict[str, dict[str, list[tuple[int, Sample]]]] = {}
    for index, run in enumerate(runs):
        for sample in run.samples:
            kinds.setdefault(sample.kind, {}).setdefault(sample.prompt, []).append((index, sample))
    return [
        {
            "kind": kind,
            "title": KINDS.get(kind, kind),
            "runs": len({index for outputs in prompts.values() for index, _ in outputs}),
            "prompts": list(prompts.items()),
        }
        for kind, prompts in kinds.items()
    ]


def filled(text: str) -> Markup:
    """Highlight the spans that a model filled in, which stand within ⟦ and ⟧."""
    return Markup(str(escape(text)).replace("⟦", "<mark>").replace("⟧", "</mark>"))


def continued(sample: Sample) -> str:
    """Return the text after the prompt, whether or not the output repeats the prompt."""
    rest = sample.output.removeprefix(sample.prompt)
    apart = sample.prompt[-1:].isspace() or rest[:1].isspace() or sample.output != rest
    return rest if apart else f" {rest}"


def begin(text: str) -> str:
    """Write the first letter as a capital and leave the rest alone: BLEU stays BLEU."""
    return text[:1].upper() + text[1:]


def figure(value: float | None) -> str:
    """Format a number: three decimals, or none from a thousand up; a dash for None."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) >= 0.01 or value == 0 else f"{value:.3g}"


def short(number: float | None) -> str:
    """Format a count with its magnitude: 2,900,000 is `2.90 M`."""
    if number is None:
        return "–"
    number = float(f"{number:.3g}")
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:#.3g}".rstrip(".") + f" {unit}"
    return f"{number:.0f}"
