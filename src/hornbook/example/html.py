"""Blocks as a page, or as a part of a notebook's: nothing in it runs, and nothing is fetched."""

from importlib.resources import files
from pathlib import Path

import jinja2

from hornbook.atomic import beside, check_new
from hornbook.errors import HornbookError
from hornbook.example.blocks import Block


def write_page(title: str, blocks: list[Block], path: Path) -> Path:
    """Write blocks as a page. Raises HornbookError where something is there, or nothing can be written there."""
    check_new(path, "--html")
    try:
        with beside(path) as file:
            file.write_text(render(title, blocks, page=True), "utf-8")
    except OSError as error:
        raise HornbookError(
            f"--html {path}: can't be written ({error.strerror}): give another path"
        ) from error
    return path


def render(title: str, blocks: list[Block], page: bool = False) -> str:
    """Draw blocks as one element with its own styles, for a notebook, or as a whole page."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_packaged),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("example.html").render(page=page, title=title, blocks=blocks)


def _packaged(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
