"""Tables for notebooks: pandas frames, and what draws them."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame


def frame(rows: Iterable[Mapping[str, Any]]) -> "DataFrame":
    """Make a frame of rows; a key that a row lacks is empty there. pandas is imported here, for it takes its time."""
    from pandas import DataFrame

    return DataFrame(list(rows))


def shown(value: Any) -> str:
    """Write a value as people read it: 4 figures of a fraction, separators in a count, a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def drawn(title: str, rows: Iterable[Mapping[str, Any]], sentences: Iterable[str] = ()) -> str:
    """Draw a heading, sentences and a table for a notebook; columns in which nothing stands are left out."""
    cells = frame(rows).dropna(axis="columns", how="all")
    table = (
        cells.to_html(index=False, border=0, na_rep="–", float_format="{:.4g}".format) if len(cells) else ""
    )
    told = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return f"<div><h4>{escape(title)}</h4>{told}{table}</div>"
