"""Another package's objective that reads from right to left is scored so, or refused by name; nothing is guessed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from transformers import AutoModelForCausalLM

from hornbook.errors import HornbookError
from hornbook.evaluation.evaluate import evaluate
from hornbook.evaluation.generate import generate
from hornbook.objectives import OBJECTIVES, READING, Objective, _accept
from hornbook.registry import Registry
from tests.evaluation.test_bits_per_byte import token_by_token

CODE = '''
from typing import Literal
from hornbook.objectives.causal import Causal

class Thing(Causal):
    """Reads from right to left."""
    name: Literal["reverse"] = "reverse"
    title = "reverse"
    natural = frozenset()
    measures = ("bits_per_byte", "loss")
    writes = None
    whole_text = True
    reading = "right to left"
    lesson = "The model learns to predict each token from those after it."

    def batch(self, windows, vocabulary, rng):
        return super().batch(windows[:, ::-1].copy(), vocabulary, rng)
'''


@pytest.fixture
def reverse(package) -> type[Objective]:
    package("reverse_plugin", "reverse", CODE, "hornbook.objectives")
    found = Registry("hornbook.objectives", "objective", _accept)
    assert {*found} == {*OBJECTIVES, "reverse"}
    return found["reverse"]


def test_its_bits_per_byte_are_those_of_the_texts_from_their_ends(make, stories, reverse):
    loaded = make("pythia-14m", 32)
    texts = [stories[0][:20], "a", "".join(stories[2:5]), stories[4]]
    bits, loss = evaluate(loaded, texts, reverse())["measures"]
    end = loaded.tokenizer.eos_token_id
    documents = [[*loaded.tokenizer(text)["input_ids"][::-1], end] for text in texts]
    model = AutoModelForCausalLM.from_pretrained(loaded.folder).eval()
    size = len("".join(texts).encode())
    assert bits["value"] * size * 0.6931471805599453 == pytest.approx(
        token_by_token(model, documents, 32), rel=1e-5
    )
    assert "from right to left" in bits["rule"] and loss["measure"] == "held-out loss"


def test_a_measure_of_another_direction_is_refused(make, stories, reverse):
    class Filling(reverse):
        title = "filling"
        measures = ("pseudo_likelihood",)

    with pytest.raises(
        HornbookError, match="filling reads right to left, and its measure pseudo_likelihood reads both ways"
    ):
        evaluate(make("pythia-14m", 32), stories[:4], Filling())


def test_its_model_is_not_read_from_left_to_right(make, stories, reverse):
    loaded = make("pythia-14m", 32)
    setattr(loaded.model.config, READING, "right to left")
    told = r"learned to read right to left, but this reads left to right"
    with pytest.raises(HornbookError, match=told):
        generate(loaded, "Once")
    with pytest.raises(HornbookError, match=told):
        evaluate(loaded, stories[:4])
    assert evaluate(loaded, stories[:4], reverse())["samples"] == []


@pytest.mark.slow
def test_a_run_by_it_is_scored_and_refuses_to_write(package, reverse, story_file, tmp_path):
    recipe = {
        "name": "reverse",
        "out": str(tmp_path / "run"),
        "cache": str(tmp_path / "cache"),
        "corpus": {"path": [str(story_file)], "documents": "line"},
        "tokenizer": {"vocab_size": 400},
        "model": {
            "preset": "pythia-14m",
            "length": 32,
            "config": {"hidden_size": 32, "num_hidden_layers": 1},
        },
        "objective": "reverse",
        "training": {"steps": 4, "batch": 4},
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))

    def hornbook(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hornbook", *map(str, arguments)],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(Path(sys.path[0])), "PATH": "", "OMP_NUM_THREADS": "1"},
        )

    done = hornbook("train", tmp_path / "recipe.yaml")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text("utf-8"))
    assert "from right to left" in found["measures"][0]["rule"] and not found["samples"]
    assert (
        json.loads((tmp_path / "run" / "model" / "config.json").read_text("utf-8"))[READING]
        == "right to left"
    )
    again = hornbook("evaluate", tmp_path / "run", "--json")
    del found["sha256"]  # the file's own
    assert json.loads(again.stdout) == found and not again.stderr, again.stderr
    refused = hornbook("generate", tmp_path / "run", "Once")
    assert refused.returncode != 0 and "learned to read right to left" in refused.stderr
    assert not refused.stdout
