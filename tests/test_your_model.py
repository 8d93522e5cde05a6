"""The page on a model of one's own: its files are made and its commands are run, shrunk, as they stand there."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from typer.testing import CliRunner

from hornbook.cli.app import app
from tests.studies.made_up import make_files

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "your-model.md").read_text("utf-8")
SHRUNK = {
    "training.steps": "2",
    "training.batch": "4",
    "tokenizer.vocab_size": "600",
    "model.length": "32",
    "training.trackers": "[]",
}


def commands() -> list[str]:
    """Give the commands of the page; one in quotes may have several lines."""
    return [
        command.strip()
        for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
        for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    ]


def save_files() -> None:
    """Save the files of the page under their names."""
    for name, kind in re.findall(r"Save this as `(\w+\.(py|yaml))`", PAGE):
        language = {"py": "python", "yaml": "yaml"}[kind]
        (found,) = re.findall(rf"Save this as `{re.escape(name)}`.*?```{language}\n(.*?)```", PAGE, re.DOTALL)
        Path(name).write_text(found.replace("tokens: 600000", "tokens: 300"), "utf-8")


@pytest.mark.slow
def test_its_row_of_pairs_and_fine_tuning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the small study that the page on studies has for a first try."""
    monkeypatch.chdir(tmp_path)
    save_files()
    page = (ROOT / "docs" / "questions.md").read_text("utf-8").partition("Try a study before you pay")[2]
    study = dedent(page.partition("\n\n")[2].partition("\n\n`changes`")[0])
    given = yaml.safe_load(study)
    Path("try.yaml").write_text(study, "utf-8")
    make_files(tmp_path / given["data"])
    settings = [part for name, value in SHRUNK.items() for part in ("--set", f"{name}={value}")]
    done = CliRunner().invoke(app, ["study", "try.yaml", "--processes", "1", *settings])
    assert done.exit_code == 0, (done.output, done.exception)
    table = Path("runs/studies/try/table.md").read_text("utf-8")
    (row,) = [line for line in table.splitlines() if line.startswith("| mine |")]
    head = table.splitlines()[2]
    for name in ("bits per byte", "BLiMP", "CoLA, Matthews", "tokens per second"):
        place = [cell.strip().split(" (")[0] for cell in head.split(" | ")].index(name)
        assert re.search(r"\d(\*\*)? ± ", row.split(" | ")[place])
    assert "BLiMP: " in table and "a sample (limit: 10)" in table


@pytest.mark.slow
def test_the_commands_do_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    save_files()
    said = {}
    for command in commands():
        program, *arguments = shlex.split(command)
        if program == "python":
            done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-2000:]
            said[command] = done.stdout
            continue
        assert program == "hornbook"
        if arguments[0] == "study":
            arguments += ["--processes", "1"]
        if arguments[0] in ("train", "study"):
            arguments += [part for name, value in SHRUNK.items() for part in ("--set", f"{name}={value}")]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (command, result.output, result.exception)
        said[command] = result.output
    assert len(said) == 10
    assert "MyGPT torch.Size([1, " in said[next(one for one in said if one.startswith("python"))]
    assert "squared ReLU &" in (tmp_path / "runs/studies/my_study/table.tex").read_text()
    assert (tmp_path / "runs" / "my-gpt" / "model" / "my_gpt.py").read_text("utf-8") == Path(
        "my_gpt.py"
    ).read_text("utf-8")


def test_each_check_that_the_page_names_exists() -> None:
    from hornbook.contract import CHECKS

    assert set(re.findall(r"\b[CTPH]\d\d\b", PAGE)) <= set(CHECKS)
    assert len(set(re.findall(r"\bT\d\d\b", PAGE))) == sum(one.startswith("T") for one in CHECKS)
