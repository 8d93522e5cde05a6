"""A study's table for papers: Markdown, LaTeX with booktabs, and every figure of every run as CSV."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from hornbook.atomic import beside
from hornbook.studies.answer import SHARES, average, show

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
    '"': r"\char34{}",
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
    head = [_escape_markdown(" ".join(filter(None, pair))) for pair in zip(*_heads(found), strict=True)]
    lines = [
        head,
        [":--", *["--:"] * (len(head) - 1)],
        *_rows(found, _escape_markdown, "**{}**".format, " †"),
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    told = "\n".join(f"- {_escape_markdown(one)}" for one in [*_sentences(found), *found["remarks"]])
    rules = "\n".join(f"- {_escape_markdown(one)}" for one in _rules(found))
    parts = [
        f"# {_escape_markdown(found['question'])}",
        table,
        _escape_markdown(_caption(found)),
        told,
        rules,
    ]
    return "\n\n".join(parts) + "\n"


def latex(found: dict[str, Any]) -> str:
    r"""Write the table for LaTeX, to be read with \input after booktabs and graphicx."""
    names, units = ([escape_latex(one) for one in head] for head in _heads(found))
    lines = [
        rf"% Made by hornbook study {_one_line(found['name'])}. It needs \usepackage{{booktabs,graphicx}}.",
        *(f"% {_one_line(rule)}" for rule in _rules(found)),
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(found['question'])} {escape_latex(_caption(found))}}}",
        rf"\label{{tab:{''.join(one if one.isalnum() and one.isascii() else '-' for one in found['name'])}}}",
        r"\medskip",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{l{'r' * (len(names) - 1)}}}",
        r"\toprule",
        " & ".join(names) + r" \\",
        " & ".join(rf"{{\footnotesize {unit}}}" if unit else "" for unit in units) + r" \\",
        r"\midrule",
        *(
            " & ".join(row) + r" \\"
            for row in _rows(found, escape_latex, r"\textbf{{{}}}".format, r"\rlap{$\dagger$}")
        ),
        r"\bottomrule",
        r"\end{tabular}}",
        rf"\par\medskip\begin{{minipage}}{{\linewidth}}\footnotesize {escape_latex(_note(found))}\end{{minipage}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode().split())


def escape_latex(text: str) -> str:
    """Write a text so that LaTeX prints it, and nothing of it is a command."""
    return "".join(_LATEX.get(one, one) for one in text)


def _escape_markdown(text: str) -> str:
    escaped = "".join(f"\\{one}" if one in r"\|*_`<" else one for one in text)
    return " ".join(escaped.split())


def _heads(found: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Make both lines of the head: what a column has, and its unit with an arrow to what is better."""
    names, units = ["Arm", "Parameters"], ["", ""]
    for name, figure in found["figures"].items():
        unit = "%" if figure["unit"] in SHARES else figure["unit"]
        names.append(name.replace("_", " "))
        units.append(f"({unit}) {'↓' if figure['lower'] else '↑'}")
    return names, units


def _rows(
    found: dict[str, Any], escape: Callable[[str], str], bold: Callable[[str], str], dagger: str
) -> Iterator[list[str]]:
    """Make a row for each arm."""
    decided = {(one["figure"], one["arm"]) for one in found["answers"] if one["decided"]}
    best = {name: _best(found, name) for name in found["figures"]}
    for arm, one in found["arms"].items():
        row = [escape(arm), f"{one['parameters']:,}" if one["parameters"] else escape("–")]
        for name, values in one["values"].items():
            unit = found["figures"][name]["unit"]
            there = [value for value in values if value is not None]
            if not there:
                row.append(escape("–"))
                continue
            middle = escape(show(fmean(there), unit))
            parts = [bold(middle) if arm in best[name] else middle]
            if len(there) > 1:
                parts.append(escape(f"± {show(stdev(there), unit)}"))
            if len(there) < len(values):
                parts.append(escape(f"({len(there)} of {len(values)} runs)"))
            row.append(" ".join(parts) + (dagger if (name, arm) in decided else ""))
        yield row


def _best(found: dict[str, Any], name: str) -> set[str]:
    """Name the arms with the best mean as it is shown, if several have one; figures of two rules don't compare."""
    figure = found["figures"][name]
    if len(figure["rules"]) > 1:
        return set()
    means = {arm: average(one["values"][name]) for arm, one in found["arms"].items()}
    there = {arm: value for arm, value in means.items() if value is not None}
    if len(there) < 2:
        return set()
    top = show((min if figure["lower"] else max)(there.values()), figure["unit"])
    return {arm for arm, value in there.items() if show(value, figure["unit"]) == top}


def _caption(found: dict[str, Any]) -> str:
    pairs = dict.fromkeys((one["arm"], one["base"]) for one in found["answers"])
    bases = {base for _, base in pairs} or {next(iter(found["arms"]))}
    each = "; ".join(f"{arm} from {base}" for arm, base in pairs)
    told = bases.pop() if len(bases) == 1 else f"another arm ({each})"
    mixed = any(len(figure["rules"]) > 1 for figure in found["figures"].values())
    where = " if one rule gave all of it" if mixed else ""
    return (
        f"Mean and standard deviation over {found['seeds']} seeds; the best mean of a column is bold{where}. A dagger "
        f"(†) marks what differs from {told} by the paired t-test over seeds (p below 0.05 after Holm’s correction for "
        "the comparisons of a column)."
    )


def _rules(found: dict[str, Any]) -> list[str]:
    """Say how each figure was computed, each rule of it with its arms."""
    return [
        f"{_named(name, figure, rule)}: {rule['text']}" + (f" Over {rule['over']}." if rule["over"] else "")
        for name, figure in found["figures"].items()
        for rule in figure["rules"]
    ]


def _note(found: dict[str, Any]) -> str:
    """Write what stands below the table: what each column is over, the baselines, and rules that differ in full."""
    told = []
    for name, figure in found["figures"].items():
        for rule in figure["rules"]:
            parts = [f"over {rule['over']}"] if rule["over"] else []
            if rule["baseline"] is not None:
                guess = "the most frequent label gets" if figure["unit"] in SHARES else "word frequencies get"
                parts.append(f"{guess} {show(rule['baseline'], figure['unit'])}")
            whole = f" {rule['text']}" if len(figure["rules"]) > 1 else ""
            if parts or whole:
                told.append(f"{_named(name, figure, rule)}: {'; '.join(parts)}.{whole}")
    return " ".join(told)


def _named(name: str, figure: dict[str, Any], rule: dict[str, Any]) -> str:
    arms = f" ({', '.join(rule['arms'])})" if len(figure["rules"]) > 1 else ""
    return name.replace("_", " ") + arms


def _sentences(found: dict[str, Any]) -> list[str]:
    return [one["sentence"] for one in found["answers"]]


_PAPER = r"""\documentclass{article}
\usepackage[landscape,margin=2cm]{geometry}
\usepackage{booktabs,graphicx}
\begin{document}
\input{table.tex}
\end{document}
"""
