"""A class of one's own is fine-tuned on labels: under its family's head, in a folder that opens without Hornbook."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hornbook.errors import HornbookError
from hornbook.finetuning import finetune
from hornbook.recipe import make_recipe
from hornbook.reporter import Reporter
from hornbook.training.train import train

EXAMPLES = Path(__file__).parents[2] / "examples" / "architectures"
TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
OPEN = """
import json, sys
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
folder = sys.argv[1]
model = AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True).eval()
tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
steep = [name for name, _ in model.named_parameters() if "steepness" in name]
with torch.no_grad():
    ask = lambda text: float(model(**tokenizer(text, return_tensors="pt")).logits.argmax())
    said = [ask(text) for text in json.loads(sys.argv[2])]
with open(sys.argv[3], "w") as file:
    json.dump({"steep": steep, "said": said}, file)
assert "hornbook" not in sys.modules
"""


def trained(folder: Path, text: Path, code: str, **model: object) -> Path:
    recipe = {
        "name": "own",
        "out": str(folder / "own"),
        "cache": str(folder / "cache"),
        "corpus": {"path": str(text), "documents": "line", "heldout_fraction": 0.2},
        "tokenizer": {"vocab_size": 400},
        "model": {"code": f"{EXAMPLES / code}", "length": 32, **model},
        "objective": "causal" if "plain" in code else "masked",
        "training": {"steps": 1, "batch": 4, "trackers": []},
    }
    return train(make_recipe(recipe), report=Reporter(silent=True)).folder


@pytest.mark.slow
def test_a_variant_of_a_family(
    tmp_path: Path,
    story_file: Path,
    table: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = "learnable_activation.py:SwishRobertaForMaskedLM"
    run = trained(tmp_path, story_file, code, preset="roberta-base", config=TINY)
    learned, asked = table
    with pytest.raises(HornbookError, match="--trust"):
        finetune(run, train=learned, test=asked, seeds=[1])
    quick = {"epochs": 1, "learning_rate": 3e-3, "batch": 8}
    finetune(run, train=learned, test=asked, seeds=[1], changes=quick, trust=True)
    assert "train_runtime" not in capsys.readouterr().out  # which the Trainer prints by itself
    folder = run / "finetuned" / "mood" / "seed-1"
    assert (folder / "learnable_activation.py").read_bytes() == (
        EXAMPLES / "learnable_activation.py"
    ).read_bytes()
    texts = [line.rpartition(",")[0] for line in asked.read_text().splitlines()[1:6]]
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(folder), json.dumps(texts), str(tmp_path / "said.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads((tmp_path / "said.json").read_text())
    assert found["steep"] == ["roberta.encoder.layer.0.intermediate.intermediate_act_fn.steepness"]
    kept = json.loads((folder / "result.json").read_text())["found"]["predictions"][""]
    assert found["said"] == kept[:5]


@pytest.mark.long
def test_a_plain_module_is_refused(tmp_path: Path, story_file: Path, table: tuple[Path, Path]) -> None:
    arguments = yaml.safe_load((EXAMPLES / "plain.yaml").read_text())["model"]
    code = Path(arguments["code"]).name
    run = trained(tmp_path, story_file, code, config=arguments.get("config", {}))
    learned, asked = table
    with pytest.raises(HornbookError, match="can't be fine-tuned on labels: that takes"):
        finetune(run, train=learned, test=asked, seeds=[1], trust=True)
