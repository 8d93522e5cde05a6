"""The site's generated pages: each command, option and key is there, in the words of the code itself."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import hornbook
from hornbook.cli import app
from hornbook.families import PRESETS
from hornbook.objectives import OBJECTIVES
from hornbook.recipe import Recipe

ROOT = Path(__file__).parents[1]
SITE = ROOT / "docs" / "site"


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import a file of docs/site as MkDocs does: beside its neighbours."""
    monkeypatch.syspath_prepend(SITE)
    spec = importlib.util.spec_from_file_location(name, SITE / f"{name}.py")
    assert spec and spec.loader
    made = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, made)
    spec.loader.exec_module(made)
    return made


def test_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    page = module("commands", monkeypatch).page()
    titles = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert {f"hornbook {one.name or one.callback.__name__}" for one in app.registered_commands} <= set(titles)
    assert "hornbook dense select" in titles and "hornbook families" in titles
    assert "    hornbook unmask MODEL TEXT [OPTIONS]" in page
    assert "| `--json` | a switch |  | Print the result as JSON. |" in page and "--no-json" not in page
    assert "| `--share-positions, --no-share-positions` | a switch | on |" in page
    assert "| `--think` | `model`, `every`, `entropy`, `never` | `model` |" in page
    assert "| `--top-p` | a number, ≥ 0, ≤ 1 | `0.95` |" in page


def test_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    recipes = module("recipes", monkeypatch)
    page = recipes.keys()
    for section in ("corpus", "tokenizer", "model", "training"):
        kind = Recipe.model_fields[section].annotation
        for name in (field.alias or one for one, field in kind.model_fields.items()):  # type: ignore[union-attr]
            assert f"| `{section}.{name}` | " in page
    assert "| `training.phases` | several: a table | `[]` |" in page and "Each of `training.phases`:" in page
    assert all(f"### {name}\n" in page for name in OBJECTIVES)
    assert "| `training.steps` | a whole number, ≥ 1" in page
    families = recipes.families()
    assert all(f"| `{preset}` |" in families for preset in PRESETS)


def test_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    page = module("functions", monkeypatch).page()
    named = set(re.findall(r"^::: hornbook\.([\w.]+)$", page, re.MULTILINE))
    assert set(hornbook.__all__) - {"__version__", "dense", "tokenizer", "load_model"} <= named
    assert {"dense.select", "tokenizer.train", "load"} <= named


def test_a_tutorial_tells_what_its_first_cell_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until there is a release, `pip install hornbook` finds nothing, on Colab as elsewhere."""
    pytest.importorskip("jupytext", reason="there is no jupytext: pip install hornbook[docs]")
    found = module("notebooks", monkeypatch).pages(ROOT / "examples" / "notebooks")
    pages = {name: text for name, text in found.items() if name.endswith(".md") and "index" not in name}
    assert len(pages) == 7
    for name, text in pages.items():
        beginning = text.split("```python", 1)[0]
        assert "Until Hornbook is on PyPI" in beginning and ".ipynb)" in beginning, name


def test_every_page_has_a_place() -> None:
    """A page that the site's contents leave out would be found by nobody; the strict build says the same."""
    contents = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert all(f" {page.name}\n" in contents for page in (ROOT / "docs").glob("*.md"))
