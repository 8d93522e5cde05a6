"""What an older Hornbook left is opened and goes on, or is refused with the reason: `old_run` is such a run."""

import json
import logging
import os
import shutil
from hashlib import blake2b
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hornbook.contract.ask import doctor
from hornbook.errors import HornbookError
from hornbook.evaluation.asked import evaluate
from hornbook.training.train import train

KEPT = Path(__file__).parent / "old_run"
MODEL = "model/model.safetensors"
OPTIONS = (
    '{"format":null,"documents":"line","separator":"<|endoftext|>","field":"text","encoding":"utf-8","dataset":null,'
    '"config":null,"split":"train","streaming":false,"heldout_fraction":0.1,"limit":null}'
)
"""The options of a corpus, as that version wrote them down for the fingerprint in run.json."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the run where its recipe says, as if it had been trained here: it knows its corpus by path and time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HORNBOOK_THREADS", "1")
    for name in ("corpus.txt", "recipe.yaml"):
        shutil.copy2(KEPT / name, tmp_path)
    folder = shutil.copytree(KEPT / "folder", tmp_path / "runs" / "old")
    about = (tmp_path / "corpus.txt").stat()
    states = [[(str((tmp_path / "corpus.txt").resolve()), about.st_size, about.st_mtime_ns)], []]
    facts = json.loads((folder / "run.json").read_text("utf-8"))
    facts["corpus"]["fingerprint"] = blake2b(f"{OPTIONS}\n{states}".encode(), digest_size=16).hexdigest()
    (folder / "run.json").write_text(json.dumps(facts, indent=2), "utf-8")
    return folder


def cut_off(run: Path) -> None:
    """Leave what a power cut leaves after step 6: a checkpoint of step 4."""
    shutil.rmtree(run / "checkpoints" / "step-00000008")
    shutil.rmtree(run / "model")
    (run / "evaluation.json").unlink()
    lines = (run / "log.jsonl").read_text("utf-8").splitlines(keepends=True)
    (run / "log.jsonl").write_text("".join(line for line in lines if json.loads(line)["step"] <= 6), "utf-8")


@pytest.mark.long
def test_a_finished_run_is_opened(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its figures are measured again to six digits, the doctor is silent, and its training isn't repeated."""
    found = evaluate(run)["measures"]
    before = json.loads((KEPT / "folder" / "evaluation.json").read_text("utf-8"))["measures"]
    names = {"bits per byte", "held-out loss"}
    values, old = (
        {one["measure"]: one["value"] for one in of if one["measure"] in names} for of in (found, before)
    )
    assert values == pytest.approx(old, rel=1e-6) and values.keys() == names
    assert not doctor(run / "model").problems
    with caplog.at_level(logging.INFO, "hornbook"):
        train("recipe.yaml")
    assert "trained already, all 8 steps" in caplog.text
    assert (run / MODEL).read_bytes() == (KEPT / "folder" / MODEL).read_bytes()


@pytest.mark.long
def test_a_cut_off_run_goes_on_to_the_same_model(run: Path) -> None:
    """The steps after the old checkpoint are taken by this version, and end where the old one ended."""
    cut_off(run)
    train("recipe.yaml")
    ours, theirs = load_file(run / MODEL), load_file(KEPT / "folder" / MODEL)
    halfway = load_file(KEPT / "folder" / "checkpoints" / "step-00000004" / "model.safetensors")
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        torch.testing.assert_close(weight, theirs[name], atol=1e-6, rtol=1e-5)
    assert max((theirs[name] - weight).abs().max() for name, weight in halfway.items()) > 1e-3


@pytest.mark.long
def test_a_moved_corpus_is_refused_with_the_reason(run: Path) -> None:
    """That version knew a corpus by its files' paths, sizes and times; with these back, the run goes on."""
    cut_off(run)
    corpus, recipe = Path("corpus.txt"), Path("recipe.yaml").read_text("utf-8")
    about = corpus.stat()
    os.utime(corpus, ns=(about.st_atime_ns, about.st_mtime_ns + 10**9))
    with pytest.raises(HornbookError, match=r"begun by an older Hornbook.*put the same files back") as caught:
        train("recipe.yaml")
    assert str(caught.value).startswith("runs/old: ") and Path("recipe.yaml").read_text("utf-8") == recipe
    os.utime(corpus, ns=(about.st_atime_ns, about.st_mtime_ns))
    train("recipe.yaml")
    assert (run / MODEL).is_file()
