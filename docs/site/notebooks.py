"""The notebooks of `examples/notebooks` as pages, each with its .ipynb to download."""

import json
from pathlib import Path

import jupytext

OUTPUTS = Path(__file__).with_name("outputs.json")
"""What the cells printed when they were last run by `make notebooks`: cells by notebook, each by its source."""


def pages(folder: Path) -> dict[str, str]:
    """Give the pages and notebook files, by their names on the site."""
    found = {}
    printed = json.loads(OUTPUTS.read_text("utf-8"))
    titles = []
    for file in sorted(folder.glob("*.py")):
        name = file.stem.replace("_", "-")
        notebook = jupytext.read(file)
        found[f"tutorials/{name}.ipynb"] = jupytext.writes(notebook, fmt="ipynb")
        parts = []
        for cell in notebook.cells:
            parts.append(cell.source if cell.cell_type == "markdown" else f"```python\n{cell.source}\n```")
            if cell.cell_type == "code" and (said := printed.get(file.stem, {}).get(cell.source)):
                parts.extend(drawn(said))
        heading, *rest = parts[0].split("\n", 1)
        titles.append((heading.removeprefix("# "), name, rest[0].strip().split("\n\n")[0] if rest else ""))
        take = (
            f"Take it as a notebook: [{name}.ipynb]({name}.ipynb). It runs in Jupyter, and on Colab with "
            "*File → Upload notebook*. Until Hornbook is on PyPI, write the path of a checkout or of a wheel, which "
            "you upload too, in place of its name in the first cell."
        )
        found[f"tutorials/{name}.md"] = "\n\n".join([heading, take, *rest, *parts[1:]]) + "\n"
    found["tutorials/index.md"] = index(titles)
    return found


def drawn(said: dict[str, str]) -> list[str]:
    """Put what a cell printed, and how its value draws itself, below the cell."""
    parts = []
    if text := said.get("text", "").rstrip():
        parts.append(f'<div class="output" markdown>\n\n```text\n{text}\n```\n\n</div>')
    if html := said.get("html"):
        parts.append(f'<div class="output drawn">{html}</div>')
    return parts


def index(titles: list[tuple[str, str, str]]) -> str:
    """Write the page that lists the tutorials."""
    lines = [f"- **[{title}]({name}.md)**: {about}" for title, name, about in titles]
    return "\n".join(
        [
            "# Tutorials",
            "",
            (
                "Each of these is a notebook that takes a few minutes on two cores of a laptop, and needs nothing but "
                "Hornbook, which its first cell installs. (Until Hornbook is on PyPI, write the path of a checkout or "
                "of a wheel, which you upload too on Colab, in place of its name there.)"
            ),
            "",
            *lines,
            (
                "- **[BERT, from a text to a number](../bert.md)**: each step of a masked model by hand, on the "
                "command line, with a model so small that its numbers fit on a page."
            ),
            "- **[T5, from a text to a number](../t5.md)**: the same for span corruption.",
            "",
        ]
    )
