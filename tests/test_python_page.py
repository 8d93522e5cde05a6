"""The pages of code for Python run from top to bottom, as they stand there."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def run(page: str) -> int:
    """Run a page's code in the current folder; return how many pieces it has."""
    path, names = DOCS / page, {"__name__": "__main__"}
    blocks = re.findall(r"```python\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
    for block in blocks:
        exec(compile(block, str(path), "exec"), names)
    return len(blocks)


@pytest.mark.slow
def test_from_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("python.md") == 4 and "there is no blank" in capsys.readouterr().out
    assert (tmp_path / "runs/tokenizer/tokenizer.json").exists()


@pytest.mark.long
def test_the_objectives_with_the_trainer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("trainer.md") == 7
    said = capsys.readouterr().out
    assert "writes: <extra_id_0>" in said and "\n0 errors" in said
    assert (tmp_path / "my-t5/model/model.safetensors").exists()


@pytest.mark.long
def test_one_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("one-example.md") == 3
    said = capsys.readouterr().out
    assert "Input: The <extra_id_0> ruined my sleep" in said
    assert re.search(r"Target: <extra_id_0> bad dog <extra_id_1>", said)


@pytest.mark.slow
def test_two_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("two-runs.md") == 4
    assert "bits per byte: " in capsys.readouterr().out and (tmp_path / "runs/compare.html").exists()
