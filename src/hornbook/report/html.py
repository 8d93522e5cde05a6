"""What every page is made of: one frame, files of this package, and plotly.js packed into it."""

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
from hornbook.errors import HornbookError


def write_html(
    path: Path,
    template: str,
    script: str,
    styles: Sequence[str],
    filters: Sequence[Callable[..., Any]],
    charts: Sequence[dict[str, Any]],
    **values: Any,
) -> Path:
    """Write a page that fills the frame `whole.html`: a template, its script and styles, all by their file names.

    `charts` are for the script, and plotly.js comes along where there are any; templates know filters by their
    functions' names. The file is written beside and renamed. Raises HornbookError for a path that can't be written.
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
    try:
        with beside(path) as file:
            file.write_text(html, encoding="utf-8")
    except OSError as error:
        raise HornbookError(
            f"the page can't be written to {path}: {error.strerror}; give another path"
        ) from None
    return path


def packaged(*names: str) -> str:
    """Read files that come with this package, one after the other."""
    return "".join(files(__package__).joinpath(name).read_text(encoding="utf-8") for name in names)


@cache
def packed_plotly() -> tuple[str, str]:
    """Give plotly.js as base64 of gzip, which is 2 MB where the source is 4.8 MB, and the source's hash."""
    from plotly.offline import get_plotlyjs

    source = get_plotlyjs()
    return base64.b64encode(gzip.compress(source.encode(), mtime=0)).decode(), script_hash(source)


def script_hash(script: str) -> str:
    """Name a script as a content security policy does."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def policy(script: str) -> str:
    """Write the policy under which a page runs this script and plotly.js, and reaches no address."""
    hashes = f"{script_hash(script)} {packed_plotly()[1]}"
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {hashes}"
