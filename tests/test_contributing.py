"""Extension, tried as a newcomer would who has CONTRIBUTING alone: a package with a family and an objective.

OPT isn't among Hornbook's families; CONTRIBUTING says what is different of it. No file of Hornbook's is touched.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.evaluation.test_reverse import CODE

FAMILY = '''
from hornbook.families import Family, Preset
from hornbook.tokenizers import Style
from torch import nn
from transformers import OPTConfig, OPTForCausalLM


class OPT(Family):
    """A causal model whose position table begins with two rows that no token uses."""

    name = "opt"
    title = "OPT"
    paper = "Zhang et al. 2022, arXiv:2205.01068"
    style = "opt"
    styles = {"opt": Style(("<s>", "<pad>", "</s>"), {"bos_token": "</s>", "eos_token": "</s>", "pad_token": "<pad>"})}
    kind = "bpe"
    config_class = OPTConfig
    heads = {"causal": OPTForCausalLM}
    head_name = "lm_head"
    inputs = frozenset({"input_ids", "attention_mask"})
    position_table = "decoder.embed_positions"
    position_schemes = ("learned",)
    counts_from_pad = False
    freezes_pad = True
    obeys_is_decoder = False
    types_as_words = False
    matrices = (nn.Linear,)
    arguments = {"use_cache": False}
    tiny = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 48}
    derived = ("word_embed_proj_dim",)
    presets = {
        "opt-125m": Preset(
            values={
                "hidden_size": 768,
                "num_hidden_layers": 12,
                "num_attention_heads": 12,
                "ffn_dim": 3072,
                "dropout": 0.1,
                "attention_dropout": 0.0,
                "activation_function": "relu",
                "do_layer_norm_before": True,
                "layerdrop": 0.0,
                "init_std": 0.02,
            },
            source="hf.co/facebook/opt-125m",
            vocab_size=50272,
            positions=2048,
            parameters=125_239_296,
            counted=OPTForCausalLM,
        )
    }

    def derive(self, values):
        return values | {"word_embed_proj_dim": values["hidden_size"]}

    def position_rows(self, config, length):
        return range(2, 2 + length)
'''
OBJECTIVE = CODE.replace("Thing", "Reverse")
TESTS = """
from hornbook.testing import conformance
test_opt = conformance(families=["opt"], objectives=["reverse"])
"""
LOOK = """
import hornbook_opt, hornbook_reverse  # before anything of Hornbook's
from hornbook.families import PRESETS
from hornbook.recipe import Recipe

print("opt-125m" in PRESETS, "reverse" in str(Recipe.model_json_schema()))
"""
POINTS = """
[hornbook.families]
opt = hornbook_opt:OPT

[hornbook.objectives]
reverse = hornbook_reverse:Reverse
"""


class Newcomer:
    """Somebody who installed a package of their own beside Hornbook, and runs commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        facts = folder / "hornbook_opt-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: hornbook-opt\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(POINTS)
        for name, text in {
            "hornbook_opt": FAMILY,
            "hornbook_reverse": OBJECTIVE,
            "test_opt": TESTS,
            "look": LOOK,
        }.items():
            (folder / f"{name}.py").write_text(text)

    def run(self, module: str, *arguments: str) -> tuple[str, str]:
        """Run a program, and give what it prints: its output, and its errors."""
        ended = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        return ended.stdout, ended.stderr


@pytest.mark.slow
def test_a_family_and_an_objective_of_another_package(story_file: Path, tmp_path: Path) -> None:
    """Muon acts on the declared matrices, or is refused; the objective is scored from right to left, or refused."""
    mine = Newcomer(tmp_path)
    assert mine.run("look") == ("True True\n", "")
    described = json.loads(mine.run("hornbook", "families", "describe", "opt-125m", "--json")[0])
    assert described["parameters"] == described["published_parameters"] == 125_239_296
    # Half of the operations: multiplications of 12 layers of 4 d^2 + 2 d 4d numbers, for d = 768.
    assert [cost["layers"] for cost in described["costs"]] == [2 * 12 * 12 * 768**2]
    assert described["unused_positions"] == [0, 1] and "reverse" in described["objectives"]

    tiny = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 48}
    recipe = {
        "name": "mine",
        "cache": "cache",
        "corpus": {"path": [str(story_file)], "documents": "line"},
        "tokenizer": {"vocab_size": 400},
        "model": {"preset": "opt-125m", "length": 32, "config": tiny},
        "objective": "reverse",
        "training": {"steps": 3, "batch": 4, "optimizer": "muon", "trackers": []},
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    told = mine.run("hornbook", "train", "recipe.yaml")[1]
    run = tmp_path / "runs" / "mine"
    assert (run / "page.html").is_file(), told
    assert "OPT" in (run / "page.html").read_text("utf-8")
    found = json.loads((run / "evaluation.json").read_text("utf-8"))
    assert "from right to left" in found["measures"][0]["rule"] and not found["samples"]
    assert json.loads((run / "model" / "tokenizer_config.json").read_text("utf-8"))["eos_token"] == "</s>"
    refused = mine.run("hornbook", "generate", "runs/mine", "Once")
    assert "learned to read right to left" in refused[1] and not refused[0]

    passed = mine.run("pytest", "-q", "-p", "no:cacheprovider", "-k", "weights or positions or loss_and")[0]
    assert " passed" in passed and "failed" not in passed, passed[-2000:]

    # Who declares other matrices is told so before the first step.
    wrong = FAMILY.replace("matrices = (nn.Linear,)", "matrices = (nn.Bilinear,)")
    (tmp_path / "hornbook_opt.py").write_text(wrong)
    told = mine.run("hornbook", "train", "recipe.yaml", "--set", "out=runs/other")[1]
    assert "muon only takes the weights of these layers: Bilinear. Add Linear to `matrices`" in " ".join(
        told.split()
    )
    assert not (tmp_path / "runs" / "other" / "model").exists()
