"""The model that is made without Hornbook is one that anybody could bring."""

import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from hornbook.dense_tokens.folder import wrap_folder


@pytest.mark.long
@pytest.mark.parametrize("kind", ["gpt2", "gpt-neox"])
def test_it_opens_and_can_have_dense_tokens(kind: str, story_file: Path, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "benchmarks.outside_model", str(tmp_path / "model"), str(story_file))
    small = ("--kind", kind, "--vocabulary", "300", "--width", "16", "--layers", "1", "--steps", "4")
    subprocess.run([*command, *small], check=True, cwd=Path(__file__).parents[2])
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    rows = model.get_input_embeddings().weight.shape[0]
    assert rows == len(AutoTokenizer.from_pretrained(tmp_path / "model"))
    assert wrap_folder(tmp_path / "model")[0].dense_id == rows
