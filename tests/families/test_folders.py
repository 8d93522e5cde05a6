"""A saved folder in a process that knows nothing of Hornbook."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.families.conftest import SMALL

AUTO = {
    "masked": "AutoModelForMaskedLM",
    "causal": "AutoModelForCausalLM",
    "seq2seq": "AutoModelForSeq2SeqLM",
}

OTHER = """
import sys
from pathlib import Path
import torch, transformers
from safetensors.torch import load_file, save_file

for line in sys.argv[2:]:
    preset, auto = line.split("=")
    folder = Path(sys.argv[1]) / preset
    model = getattr(transformers, auto).from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert model.config.pad_token_id == tokenizer.pad_token_id
    assert model.config.eos_token_id == tokenizer.eos_token_id
    with torch.no_grad():
        found = model(**load_file(folder / "batch"))
    save_file({"loss": found.loss, "logits": found.logits.contiguous()}, folder / "found")
assert "hornbook" not in sys.modules
"""


@pytest.fixture(scope="module")
def folders(shrink: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save every family, and let one process open them all."""
    root = tmp_path_factory.mktemp("folders")
    lines = []
    for preset in SMALL:
        small = shrink(preset)
        lines.append(f"{preset}={AUTO[small.head]}")
        small.family.build(small.config, small.head, seed=1).save_pretrained(root / preset)
        small.tokenizer.save_pretrained(root / preset)
        save_file(small.batch(), root / preset / "batch")
    subprocess.run([sys.executable, "-c", OTHER, str(root), *lines], check=True, cwd=root)
    return root


@pytest.mark.long
@pytest.mark.parametrize("preset", SMALL)
def test_another_process_gets_the_same_logits(preset: str, folders: Path, shrink: Callable[..., Any]) -> None:
    small = shrink(preset)
    model, batch = small.family.build(small.config, small.head, seed=1).eval(), small.batch()
    found = load_file(folders / preset / "found")
    with torch.no_grad():
        logits = small.family.logits(model, small.family.hidden(model, batch))
    places = batch["labels"] != -100
    torch.testing.assert_close(logits[places], found["logits"][places], atol=1e-5, rtol=0)
