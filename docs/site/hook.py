"""What MkDocs asks while it builds the site: pages that are generated, and links that lead out of `docs`."""

import re
from pathlib import Path
from typing import Any

import commands
import functions
import notebooks
from mkdocs.structure.files import File, Files

import recipes

ROOT = Path(__file__).parents[2]
PAPERS = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "SECURITY.md": "security.md",
}
"""Pages that lie elsewhere, and what they are called on the site."""

LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add what is generated, and what pages link to outside of `docs`."""
    pages = {
        "reference/api.md": functions.page(),
        "reference/commands.md": commands.page(),
        "reference/recipe.md": recipes.keys(),
        "reference/families.md": recipes.families(),
        **notebooks.pages(ROOT / "examples" / "notebooks"),
    }
    for paper, name in PAPERS.items():
        pages[name] = (ROOT / paper).read_text("utf-8")
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let links that fit the repository fit the site: pages by their names there, other files as files of the site."""
    origin = {name: Path(paper) for paper, name in PAPERS.items()}.get(
        page.file.src_uri, Path("docs") / page.file.src_uri
    )
    up = "../" * page.file.src_uri.count("/")

    def moved(match: re.Match[str]) -> str:
        target, anchor = match[1], match[2] or ""
        path = (ROOT / origin).parent.joinpath(target).resolve()
        if not path.is_relative_to(ROOT) or not path.exists():
            return match[0]  # MkDocs tells of it, or it is generated
        name = path.relative_to(ROOT).as_posix()
        if name in PAPERS or name.startswith("docs/"):
            return f"]({up}{PAPERS.get(name, name.removeprefix('docs/'))}{anchor})"
        if not files.get_file_from_path(f"files/{name}"):
            files.append(File.generated(config, f"files/{name}", content=path.read_bytes()))
        return f"]({up}files/{name}{anchor})"

    return LINK.sub(moved, markdown)
