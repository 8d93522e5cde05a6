"""What `pip install .` installs, which no editable install shows: recipes and data files come along."""

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_a_wheel_has_all_that_the_checkout_has(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT]
    built = subprocess.run(pip, capture_output=True, text=True)
    if built.returncode and "hatchling" in built.stderr:
        pytest.skip("pip can't fetch hatchling, which builds the wheel: connect to a network")
    assert not built.returncode, built.stderr
    (wheel,) = tmp_path.glob("hornbook-*.whl")
    with ZipFile(wheel) as packed:
        names = set(packed.namelist())
        packed.extractall(tmp_path / "installed")
    listed = subprocess.run(
        ["git", "ls-files", "src/hornbook", "recipes"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    wanted = {name.removeprefix("src/") if name.startswith("src/") else f"hornbook/{name}" for name in listed}
    assert len(wanted) > 200 and wanted <= names, sorted(wanted - names)

    def ask(code: str) -> str:
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path / "elsewhere",
            env=os.environ | {"PYTHONPATH": str(tmp_path / "installed")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    run = "import sys; sys.argv = ['hornbook', 'recipes', '--json']; from hornbook.cli import main; main()"
    files = {
        path.relative_to(ROOT / "recipes").with_suffix("") for path in (ROOT / "recipes").rglob("*.yaml")
    }
    assert {one["name"] for one in json.loads(ask(run))} == {path.as_posix() for path in files}
    found = ask(
        "from pathlib import Path; from hornbook.shipped import find_file; print(find_file(Path('manuals-bert')))"
    )
    assert Path(found.strip()).is_relative_to(tmp_path / "installed")
