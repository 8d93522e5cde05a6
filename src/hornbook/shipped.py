"""The recipes and studies that come with Hornbook, by name."""

from difflib import get_close_matches
from functools import cache
from itertools import takewhile
from pathlib import Path

_PACKAGE = Path(__file__).parent


@cache
def shipped() -> dict[str, Path]:
    """Give the file of each recipe and study by its name, such as manuals-bert or studies/masks."""
    for folder in (_PACKAGE / "recipes", _PACKAGE.parents[1] / "recipes"):  # in a wheel, and in a checkout
        if folder.is_dir():
            files = sorted(folder.rglob("*.yaml"), key=lambda path: (path.parent != folder, str(path)))
            return {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}
    return {}


def find_file(named: Path) -> Path:
    """Give the file at a path; where there is none, the recipe or study of this name.

    The name may lack its folder, as pairs for studies/pairs, where no other ends in it.
    """
    if named.exists():
        return named
    ends = [path for name, path in shipped().items() if Path(name).name == named.as_posix()]
    return shipped().get(named.as_posix()) or (ends[0] if len(ends) == 1 else named)


def near(named: Path) -> str:
    """Say which name is meant by one that doesn't exist, or where all of them are listed."""
    close = get_close_matches(named.as_posix(), shipped(), n=1)
    return f"did you mean {close[0]}?" if close else "`hornbook recipes` lists those that come with Hornbook"


def about(name: str) -> str:
    """Say what a recipe or study is for: its question, or the first sentence of its first comment."""
    lines = shipped()[name].read_text("utf-8").splitlines()
    for line in lines:
        if line.startswith("question:"):
            return line.removeprefix("question:").strip()
    comment = " ".join(
        line.removeprefix("#").strip() for line in takewhile(lambda one: one[:1] == "#", lines)
    )
    return comment.partition(". ")[0].rstrip(".") + "."
