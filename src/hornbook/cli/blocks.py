"""Blocks of an example on a terminal: in colour where it has some, and in any width."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from hornbook.example.blocks import Block, Mark

_WIDE = 10_000

_STYLES = {
    "hidden": "black on yellow",
    "mask": "black on yellow",
    "random": "black on magenta",
    "kept": "black on green",
    "sentinel": "bold cyan",
    "dense": "bold cyan",
    "special": "dim",
    "padding": "dim strike",
}


def print_blocks(blocks: list[Block]) -> None:
    """Print headings, sentences, lines and tables; a table too wide for the terminal as one line a row."""
    console = Console(markup=False, highlight=False, emoji=False)
    for number, block in enumerate(blocks):
        if number:
            console.print()
        console.print(Text(block.heading, "bold"))
        for sentence in block.sentences:
            console.print(sentence)
        if block.line:
            console.print(Text(" ").join([_marked(mark) for mark in block.line]))
        if block.rows:
            _print_rows(console, block)
        for sentence in block.closing:
            console.print(sentence)


def _print_rows(console: Console, block: Block) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in block.columns:
        table.add_column(column, overflow="fold")
    for row in block.rows:
        table.add_row(*map(_marked, row))
    # Asked with its own width, a table would say that it can be folded.
    if Measurement.get(console, console.options.update(width=_WIDE), table).maximum <= console.width:
        console.print(table)
        return
    for row in block.rows:
        first, *rest = (
            Text.assemble((f"{column} ", "dim"), _marked(mark))
            for column, mark in zip(block.columns, row, strict=True)
            if mark.text
        )
        console.print(Text("  ").join([first, *rest]))


def _marked(mark: Mark) -> Text:
    text = Text(mark.text, _STYLES.get(mark.kind, ""))
    return text if not mark.small else Text.assemble(text, (f" {mark.small}", "dim"))
