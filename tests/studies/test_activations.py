"""The shipped study of two families, shrunk: minimal pairs, fine-tuning, one table, and its LaTeX compiles."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from statistics import fmean

import pytest
from typer.testing import CliRunner

from hornbook.cli.app import app
from hornbook.evaluation.tasks import evaluate_tasks
from hornbook.loading import load_model
from tests.studies.made_up import make_files

ROOT = Path(__file__).parents[2]
SHRUNK = {
    "corpus.documents": "line",
    "corpus.heldout_fraction": "0.2",
    "tokenizer.vocab_size": "500",
    "model.length": "32",
    "training.batch": "4",
    "training.trackers": "[]",
    "cache": "cache",
}


@pytest.mark.slow
def test_the_shipped_study_of_two_families(
    tmp_path: Path, story_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    data, out = make_files(tmp_path / "data"), tmp_path / "out"
    settings = [f"{name}={value}" for name, value in SHRUNK.items()] + [f"corpus.path={story_file}"]
    command = [
        "study",
        "activations",
        "--data",
        str(data),
        "--seeds",
        "2",
        "--tokens",
        "600",
        "--out",
        str(out),
    ]
    done = CliRunner().invoke(app, command + [part for one in settings for part in ("--set", one)])
    assert done.exit_code == 0, (done.output, done.exception)

    found = json.loads((out / "answer.json").read_text("utf-8"))
    tasks = ["CoLA, Matthews", "MRPC, F1", "MRPC, accuracy", "GLUE, 2 tasks"]
    more = ["bits per byte", "tokens per second", "peak memory"]
    assert list(found["figures"]) == ["BLiMP", *tasks, *more]
    assert [one.split(" (")[0] for one in found["remarks"]] == [
        "The arms’ parameters differ by more than 2 %"
    ]
    gpt, roberta = ["GPT-Neo", "GPT-Neo with Swish"], ["RoBERTa", "RoBERTa with Swish"]
    for arm, one in found["arms"].items():
        for seed, run in enumerate(map(Path, one["runs"])):
            values = {name: of_seeds[seed] for name, of_seeds in one["values"].items()}
            result = json.loads((run / "finetuned/mrpc/seed-42/result.json").read_text())["found"]
            labels = [bool(n % 4) for n in range(30, 40)]
            right = [
                bool(given) is label for given, label in zip(result["predictions"][""], labels, strict=True)
            ]
            assert values["MRPC, accuracy"] == pytest.approx(100 * fmean(right))
            both = (values["MRPC, F1"] + values["MRPC, accuracy"]) / 2
            assert values["GLUE, 2 tasks"] == pytest.approx((values["CoLA, Matthews"] + both) / 2)
            assert (values["bits per byte"] is None) is (arm in roberta)
            assert values["peak memory"] > 50
        asked = evaluate_tasks(load_model(run, trust=True), ["blimp"], data=data, limit=50)[0]
        assert values["BLiMP"] == asked["value"]  # the last seed's

    rules = found["figures"]["BLiMP"]["rules"]
    assert [rule["arms"] for rule in rules] == [gpt, roberta]
    table = (out / "table.tex").read_text()
    printed = " ".join(line for line in table.splitlines() if not line.startswith("%"))
    assert "BLiMP (RoBERTa, RoBERTa with Swish): over 50 pairs, a sample (limit: 50)." in printed
    assert (
        "MRPC, accuracy: over 10 texts of the validation part; the most frequent label gets 80.0." in printed
    )
    cells = [line.split(" & ")[2] for line in table.splitlines() if re.match("(GPT-Neo|RoBERTa)", line)]
    assert len(cells) == 4 and not any("textbf" in cell for cell in cells)
    if shutil.which("pdflatex"):
        subprocess.run(["pdflatex", "-halt-on-error", "paper.tex"], cwd=out, check=True, capture_output=True)
        assert (out / "paper.pdf").stat().st_size > 1000
