"""A study's table for papers: Markdown, LaTeX with booktabs, and every figure of every run as CSV."""

import csv
import io
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from hornbook.atomic import beside
from hornbook.studies.answer import show

TABLES = ("runs.csv", "table.md", "table.tex", "paper.tex")

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "’": "'",
    "–": "--",
    "†": r"$\dagger$",
    "\n": " ",
}


def write_tables(found: dict[str, Any], folder: Path) -> None:
    """Write the result of `hornbook.studies.conduct` as tables into a folder.

    `runs.csv` has a line for each arm, seed and figure; `table.md` and `table.tex` have a row for each arm, `paper.tex`
    is a whole document around `table.tex`.
    """
    for name, text in zip(TABLES, (runs_csv(found), markdown(found), latex(found), _PAPER), strict=True):
        with beside(folder / name) as file:
            file.write_text(text, "utf-8")


def runs_csv(found: dict[str, Any]) -> str:
    """Write each figure of each run, unrounded; a run that failed has no value."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(
        ["arm", "seed", "figure", "unit", "value", "parameters", "steps", "tokens", "seconds", "run"]
    )
    for arm, one in found["arms"].items():
        for name, values in one["values"].items():
            for seed, value in enumerate(values):
                cost = [
                    one["parameters"],
                    one["steps"],
                    one["tokens"],
                    one["seconds"][seed],
                    one["runs"][seed],
                ]
                lines.writerow([arm, seed, name, found["figures"][name]["unit"], value, *cost])
    return written.getvalue()


def markdown(found: dict[str, Any]) -> str:
    """Write the table as Markdown, with the question, what the table shows, and the answers."""
    head, *rows = [[_escape_markdown(cell) for cell in row] for row in _cells(found)]
    lines = [head, [":--", *["--:"] * (len(head) - 1)], *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    told = "\n".join(f"- {_escape_markdown(one)}" for one in [*_sentences(found), *found["remarks"]])
    return f"# {_escape_markdown(found['question'])}\n\n{table}\n\n{_escape_markdown(_caption(found))}\n\n{told}\n"


def latex(found: dict[str, Any]) -> str:
    r"""Write the table for LaTeX with booktabs, to be read with \input."""
    head, *rows = [[escape_latex(cell) for cell in row] for row in _cells(found)]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(found['question'])} {escape_latex(_caption(found))}}}",
        rf"\label{{tab:{''.join(one if one.isalnum() and one.isascii() else '-' for one in found['name'])}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"\toprule",
        " & ".join(head) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape_latex(text: str) -> str:
    """Write a text so that LaTeX prints it, and nothing of it is a command."""
    return "".join(_LATEX.get(one, one) for one in text)


def _escape_markdown(text: str) -> str:
    escaped = "".join(f"\\{one}" if one in r"\|*_`<" else one for one in text)
    return " ".join(escaped.split())


def _cells(found: dict[str, Any]) -> list[list[str]]:
    """Make the head, and a row for each arm."""
    decided = {(one["figure"], one["arm"]) for one in found["answers"] if one["decided"]}
    head = ["Arm", "Parameters"]
    for name, figure in found["figures"].items():
        unit = "%" if figure["unit"] == "share of pairs" else figure["unit"]
        head.append(f"{name} ({unit}) {'↓' if figure['lower'] else '↑'}")
    rows = [head]
    for arm, one in found["arms"].items():
        row = [arm, f"{one['parameters']:,}" if one["parameters"] else "–"]
        for name, values in one["values"].items():
            cell = _cell(values, found["figures"][name]["unit"])
            row.append(f"{cell} †" if (name, arm) in decided else cell)
        rows.append(row)
    return rows


def _cell(values: list[float | None], unit: str) -> str:
    """Write the mean over seeds, and the standard deviation if there are several."""
    there = [value for value in values if value is not None]
    if not there:
        return "–"
    spread = f" ± {show(stdev(there), unit)}" if len(there) > 1 else ""
    failed = f" ({len(there)} of {len(values)} runs)" if len(there) < len(values) else ""
    return show(fmean(there), unit) + spread + failed


def _caption(found: dict[str, Any]) -> str:
    first = next(iter(found["arms"]))
    return (
        f"Mean and standard deviation over {found['seeds']} seeds. A dagger (†) marks what differs from {first} by the "
        "paired t-test over seeds (p below 0.05 after Holm’s correction for the arms of a column)."
    )


def _sentences(found: dict[str, Any]) -> list[str]:
    return [one["sentence"] for one in found["answers"]]


_PAPER = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[landscape,margin=2cm]{geometry}
\usepackage{booktabs}
\begin{document}
\input{table.tex}
\end{document}
"""
