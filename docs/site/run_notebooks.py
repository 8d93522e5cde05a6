"""Run the notebooks in a kernel, at full length, and keep what they print: run_notebooks.py [NAME ...]."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import jupytext
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "examples" / "notebooks"
KEPT = Path(__file__).with_name("outputs.json")


def printed(cell: dict) -> str:
    """Join what a cell printed and what its last line is, as text; the log of trainings goes to stderr."""
    parts = []
    for one in cell["outputs"]:
        if one["output_type"] == "stream" and one["name"] == "stdout":
            parts.append(one["text"])
        elif one["output_type"] in ("execute_result", "display_data") and "text/plain" in one["data"]:
            text = one["data"]["text/plain"]
            parts.append(
                "" if text.startswith("<") or "FigureWidget" in text or "Figure(" in text else text + "\n"
            )
    return "".join(parts)


def main(names: list[str]) -> None:
    """Run the named notebooks, or all, each in an empty folder of its own."""
    kept = json.loads(KEPT.read_text("utf-8"))
    files = [NOTEBOOKS / f"{name}.py" for name in names] or sorted(NOTEBOOKS.glob("*.py"))
    for file in files:
        notebook = jupytext.read(file)
        with TemporaryDirectory() as folder:
            NotebookClient(notebook, timeout=None, resources={"metadata": {"path": folder}}).execute()
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        kept[file.stem] = {cell.source: said for cell in cells if (said := printed(cell))}
        KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"{file.stem}: {len(kept[file.stem])} of {len(cells)} cells printed something")


if __name__ == "__main__":
    main(sys.argv[1:])
