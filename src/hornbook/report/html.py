"""The parts of every page: one frame, files of this package, and an embedded plotly.js."""

import base64
import gzip
import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from hornbook.atomic import beside


def write_html(
    path: Path,
    template: str,
    script: str,
    styles: Sequence[str],
    filters: Sequence[Callable[..., Any]],
    charts: Sequence[dict[str, Any]],
    **values: Any,
) -> Path:
    """Write a page in the frame `whole.html` from a template, its script and styles, given by their file names.

    The script draws the `charts`; if there are any, plotly.js is embedded. Templates use the filters by their
    functions' names. The file is written under another name, then renamed. Raises HornbookError for a path that can't
    be written.
    """
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(packaged),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {one.__name__: one for one in filters}
    program = packaged("load.js", script).strip()
    html = environment.get_template(template).render(
        charts=charts,
        version=version("hornbook"),
        style=Markup(packaged(*styles)),
        script=Markup(program),
        plotly=Markup(packed_plotly()[0]) if charts else "",
        policy=policy(program),
        **values,
    )
    with beside(path) as file:
        file.write_text(html, encoding="utf-8")
    return path


def packaged(*names: str) -> str:
    """Read files of this package, and join their texts."""
    return "".join(files(__package__).joinpath(name).read_text(encoding="utf-8") for name in names)


@cache
def packed_plotly() -> tuple[str, str]:
    """Return plotly.js, its lines and bars alone, as base64 of gzip (half a megabyte), and the source's hash."""
    packed = files(__package__).joinpath("plotly", "plotly-basic.min.js.gz").read_bytes()
    return base64.b64encode(packed).decode(), script_hash(gzip.decompress(packed).decode())


def script_hash(script: str) -> str:
    """Return the hash by which a content security policy allows a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def policy(script: str) -> str:
    """Write a content security policy that allows this script and plotly.js, and no network."""
    hashes = f"{script_hash(script)} {packed_plotly()[1]}"
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {hashes}"
