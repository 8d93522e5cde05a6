"""Every example of an architecture trains on the embedded corpus, and opens elsewhere with transformers alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from hornbook.recipe import read_recipe
from hornbook.reporter import Reporter
from hornbook.training.train import train

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "architectures"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
SHRUNK = [
    "model.length=32",
    "tokenizer.vocab_size=600",
    "training.steps=3",
    "training.batch=4",
    "training.trackers=[]",
]

OPEN = """
import json, sys
import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer
answers = {}
for folder, head in json.loads(sys.argv[1]):
    kind = {"causal": AutoModelForCausalLM, "masked": AutoModelForMaskedLM}[head]
    model = kind.from_pretrained(folder, trust_remote_code=True).eval()
    inner = AutoModel.from_pretrained(folder, trust_remote_code=True).eval()
    assert sum(one.numel() for one in inner.parameters()) > 1000
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    ids = tokenizer("Once upon a time there was a dog.", return_tensors="pt").input_ids
    with torch.no_grad():
        answers[folder] = model(input_ids=ids).logits[0].double().sum(0).tolist()
    if head == "causal":
        assert model.generate(ids, max_new_tokens=4, do_sample=False).shape[1] > ids.shape[1]
assert "hornbook" not in sys.modules
print(json.dumps(answers))
"""


def test_each_has_a_recipe_and_is_named() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(NAMES) and len(NAMES) >= 5
    page = (ROOT / "docs" / "your-model.md").read_text("utf-8")
    assert not [name for name in NAMES if f"examples/architectures/{name}.py" not in page]


@pytest.mark.long
def test_each_trains_and_opens_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(ROOT)
    runs, said = [], {}
    for name in NAMES:
        layers = (
            "num_layers" if "causal" in (FOLDER / f"{name}.yaml").read_text("utf-8") else "num_hidden_layers"
        )
        small = [f"model.config.{layers}=2"] if name != "plain" else []
        out = [f"out={tmp_path / name}", f"cache={tmp_path / 'cache'}"]
        recipe = read_recipe(FOLDER / f"{name}.yaml", [*SHRUNK, *small, *out])
        run = train(recipe, report=Reporter(silent=True))
        ids = run.tokenizer("Once upon a time there was a dog.", return_tensors="pt").input_ids
        with torch.no_grad():
            said[str(run.folder / "model")] = run.model(input_ids=ids).logits[0].double().sum(0).tolist()
        runs.append([str(run.folder / "model"), recipe.objective.head])
        assert (
            len(run.figures)
            and yaml.safe_load((run.folder / "recipe.yaml").read_text("utf-8"))["model"]["code"]
        )
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", OPEN, json.dumps(runs)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for folder, sums in json.loads(done.stdout.splitlines()[-1]).items():
        assert sums == pytest.approx(said[folder], rel=1e-3, abs=1e-3), folder
