"""The command line's root, to which each command adds itself."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hornbook.launch import refuse_several

if TYPE_CHECKING:
    from hornbook.evaluation.loading import LoadedModel

app = typer.Typer(
    name="hornbook",
    help="Pre-train small language models from their first token.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def check_launch(context: typer.Context) -> None:
    """Refuse several processes where a command has no use for them."""
    if context.invoked_subcommand not in (None, "train"):
        refuse_several(context.invoked_subcommand)


Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=C", help="Change one value of the recipe; may be repeated."),
]

Model = Annotated[Path, typer.Argument(help="A run's folder, or any model folder of a known family.")]


def quieten_transformers() -> None:
    """Keep transformers' bars and remarks out of ours: a bar for each saved file, a note on T5's untied head."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def open_quietly(folder: Path) -> "LoadedModel":
    """Open a model, and say so where it isn't a finished one."""
    from hornbook.evaluation.loading import load_model
    from hornbook.machine import use_threads

    quieten_transformers()
    use_threads()
    loaded = load_model(folder)
    if loaded.remark:
        print(f"hornbook: {loaded.remark}", file=sys.stderr)
    return loaded


def print_json(facts: Any) -> None:
    """Print a result for programs: JSON on stdout, alone there, since everything for people goes to stderr."""
    print(json.dumps(facts, indent=2, ensure_ascii=False))


def print_table(rows: list[dict[str, Any]], across: bool = False) -> None:
    """Print rows for people; `across` gives each row a column of its own, for many figures of few things."""
    from rich.console import Console
    from rich.table import Table

    names = list(rows[0])
    if across:
        heads, *lines = [[name, *(_shown(row[name]) for row in rows)] for name in names]
    else:
        heads, lines = names, [[_shown(row[name]) for name in names] for row in rows]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, head in enumerate(heads):
        sample = lines[0][place] if lines else ""
        table.add_column(
            head, justify="right" if sample[:1].isdigit() and not across else "left", overflow="fold"
        )
    for line in lines:
        table.add_row(*line)
    console = Console(markup=False, highlight=False, emoji=False)
    console.print(table)


def _shown(value: Any) -> str:
    """Write a value as people read it: 4 figures of a fraction, separators in a count, a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
