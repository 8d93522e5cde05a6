"""Results on stdout, for programs and for people."""

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from hornbook.frames import shown

_NARROW = 60
"""Columns of a terminal below which a table that doesn't fit is written as lines."""


def print_json(facts: Any) -> None:
    """Print a result for programs: JSON, which is alone on stdout, since log and progress go to stderr."""
    print(json.dumps(facts, indent=2, ensure_ascii=False))


def print_table(rows: list[dict[str, Any]], across: bool = False) -> None:
    """Print rows for people; `across` makes each row a column, for many figures of few things."""
    names = list(rows[0])
    if across:
        heads, *lines = [[name, *(shown(row[name]) for row in rows)] for name in names]
    else:
        heads, lines = names, [[shown(row[name]) for name in names] for row in rows]
    table = Table(box=None, pad_edge=False, header_style="bold")
    console = Console(markup=False, highlight=False, emoji=False)
    columns = [[head, *cells] for head, *cells in zip(heads, *lines, strict=True)]
    words = [max(len(word) for cell in cells for word in cell.split() or [""]) for cells in columns]
    # Names stay whole where there is room: what has several words can be cut between these.
    whole = sum(words) + 2 * len(words) <= console.width
    for place, head in enumerate(heads):
        table.add_column(
            head,
            justify="right" if lines and lines[0][place][:1].isdigit() and not across else "left",
            overflow="fold",
            no_wrap=whole and max(map(len, columns[place])) == words[place],
        )
    for line in lines:
        table.add_row(*line)
    if (
        console.width < _NARROW
        and console.measure(table, options=console.options.update(width=1000)).maximum > console.width
    ):
        for line in lines:  # a table would cut its numbers into pieces
            print(
                *(
                    f"{head}: {cell}" if place else cell
                    for place, (head, cell) in enumerate(zip(heads, line, strict=True))
                ),
                sep="\n  ",
            )
    else:
        console.print(table)


def print_prose(*lines: str) -> None:
    """Print sentences, cut between words where the terminal ends."""
    Console(markup=False, highlight=False, emoji=False).print(*lines, sep="\n")


def print_figures(outcome: Mapping[str, list[dict[str, Any]]]) -> None:
    """Print what an evaluation found: figures with their rules (a rule once where it is repeated), and samples."""
    told = ""
    for one in outcome["measures"]:
        low, high = one.get("low"), one.get("high")
        digits = 1 if "%" in one["unit"] else 4
        spread = "" if low is None or high is None else f" ({low:.{digits}f} to {high:.{digits}f})"
        named, short = ("word frequencies", 4) if one["unit"] == "nats/label" else ("the majority", 1)
        beside = f"; {named}: {one['baseline']:.{short}f}" if "baseline" in one else ""
        print(
            f"{one['measure']}: {one['value']:.{digits}f} {one['unit']}{spread}{beside}, over {one['over']}"
        )
        if (reading := f"{one['rule']} {one['comparable']}") != told:
            print(f"  {reading}\n")
            told = reading
    for one in outcome.get("samples", []):
        print(f"{one['kind']}  {one['prompt']}\n  {one['output']}")
