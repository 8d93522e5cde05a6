"""`hornbook recipes`, names in place of paths, `--version` and the shell's completion."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import hornbook
from hornbook.cli import main
from hornbook.recipe import read_recipe
from hornbook.shipped import find_file
from hornbook.studies.study import read_study

RECIPES = Path(__file__).parents[2] / "recipes"
Run = Callable[..., str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*words: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["hornbook", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        assert (stop.value.code or 0) == code, said.err
        return said.err if code else said.out

    return command


def test_all_are_listed_and_copied_as_they_are(run: Run) -> None:
    listed = json.loads(run("recipes", "--json"))
    files = {path.relative_to(RECIPES).with_suffix("").as_posix(): path for path in RECIPES.rglob("*.yaml")}
    assert {one["name"] for one in listed} == files.keys()
    assert all(one["what it is"] and "\n" not in one["what it is"] for one in listed)
    assert all(one["what it is"].endswith("?") for one in listed if one["name"].startswith("studies/"))
    assert run("recipes", "copy", "manuals-bert").strip() == "manuals-bert.yaml"
    assert Path("manuals-bert.yaml").read_bytes() == files["manuals-bert"].read_bytes()
    assert "something is there already" in run("recipes", "copy", "manuals-bert", code=2)
    assert "did you mean manuals-bert?" in run("recipes", "copy", "manuals-brt", code=2)


def test_a_name_stands_for_its_file() -> None:
    assert read_recipe(Path("manuals-bert")) == read_recipe(RECIPES / "manuals-bert.yaml")
    assert read_study(Path("studies/masks")).base == read_study(RECIPES / "studies" / "masks.yaml").base
    # Without its folder too, as the comments of studies say it.
    assert read_study(Path("masks")).base == read_study(RECIPES / "studies" / "masks.yaml").base
    for path in (RECIPES / "studies").glob("*.yaml"):
        for name in re.findall("hornbook study ([a-z0-9-]+)", path.read_text("utf-8")):
            assert name == path.stem == read_study(Path(name)).name


def test_a_name_that_several_end_in_needs_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    two = {"studies/masks": Path("one"), "dense/masks": Path("other"), "masks/all": Path("third")}
    monkeypatch.setattr("hornbook.shipped.shipped", lambda: two)
    assert find_file(Path("masks")) == Path("masks") and find_file(Path("all")) == Path("third")


def test_a_file_of_ones_own_comes_first(run: Run) -> None:
    Path("manuals-bert").write_bytes((RECIPES / "manuals-gpt-neo.yaml").read_bytes())
    assert read_recipe(Path("manuals-bert")).name == "manuals-gpt-neo"


def test_a_copied_study_still_finds_its_recipe(run: Run) -> None:
    run("recipes", "copy", "studies/masks", "mine.yaml")
    assert read_study(Path("mine.yaml")).base == read_study(RECIPES / "studies" / "masks.yaml").base


@pytest.mark.parametrize(
    ("name", "told"),
    [("manuals-brt", "did you mean manuals-bert?"), ("nothing like it", "`hornbook recipes` lists those")],
)
def test_a_name_that_is_none_leads_to_one(name: str, told: str, run: Run) -> None:
    said = run("train", name, code=2)
    assert f"{name}: there is no such recipe" in said and told in said


def test_the_release_and_the_completion() -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; sys.argv[0] = 'hornbook'; from hornbook.cli import main; main()",
    ]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"hornbook {hornbook.__version__}\n"
    asked = {"_HORNBOOK_COMPLETE": "complete_bash", "COMP_WORDS": "hornbook fam", "COMP_CWORD": "1"}
    found = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True)
    assert found.stdout.split() == ["families"]
