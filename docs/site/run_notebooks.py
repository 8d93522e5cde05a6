"""Run the notebooks in a kernel, at full length, and keep what they print: run_notebooks.py [NAME ...]."""

import json
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import jupytext
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "examples" / "notebooks"
KEPT = Path(__file__).with_name("outputs.json")


def printed(cell: dict) -> dict[str, str]:
    """Give what a cell printed, as `text`, and its last line's value as it draws itself, as `html`.

    What is displayed beside them are bars and the log of trainings. A chart would be
    megabytes of script.
    """
    if cell.source.startswith("%"):
        return {}
    parts = {"text": "", "html": ""}
    for one in cell["outputs"]:
        if one["output_type"] == "stream" and one["name"] == "stdout":
            parts["text"] += one["text"]
        elif one["output_type"] == "execute_result":
            value = one["data"]
            if "text/html" in value and "<script" not in value["text/html"]:
                parts["html"] += re.sub(r"<style scoped>.*?</style>", "", value["text/html"], flags=re.DOTALL)
            elif "Figure" in value["text/plain"]:
                parts["text"] += "(a chart, which the notebook draws)\n"
            elif "text/html" not in value:
                parts["text"] += value["text/plain"] + "\n"
    return {kind: said for kind, said in parts.items() if said}


def main(names: list[str]) -> None:
    """Run the named notebooks, or all, each in an empty folder of its own."""
    files = [NOTEBOOKS / f"{name}.py" for name in names] or sorted(NOTEBOOKS.glob("*.py"))
    for file in files:
        notebook = jupytext.read(file)
        with TemporaryDirectory() as folder:
            NotebookClient(notebook, timeout=None, resources={"metadata": {"path": folder}}).execute()
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        kept = json.loads(KEPT.read_text("utf-8"))  # only now, since two notebooks may run at the same time
        kept[file.stem] = {cell.source: said for cell in cells if (said := printed(cell))}
        KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"{file.stem}: {len(kept[file.stem])} of {len(cells)} cells printed something")


if __name__ == "__main__":
    main(sys.argv[1:])
