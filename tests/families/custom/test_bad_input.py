"""What is wrong with a file or a class of one's own is told in one sentence, before anything is trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hornbook.errors import HornbookError
from hornbook.recipe import make_recipe
from hornbook.reporter import Reporter
from hornbook.training.train import start

PLAIN = """from torch import nn
class Own(nn.Module):
    hornbook = {"head": "causal", "gives": "logits", "style": "gpt"}
    def __init__(self, vocab_size, width=8):
        super().__init__()
        self.words = nn.Embedding(vocab_size, width)
        self.out = nn.Linear(width, vocab_size)
    def forward(self, input_ids):
        return self.out(self.words(input_ids).cumsum(1))
class Other: pass
"""
VARIANT = """from transformers import GPTNeoConfig, GPTNeoForCausalLM
class Own(GPTNeoForCausalLM):
    pass
"""


@pytest.fixture
def refused(tmp_path: Path, story_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Give what starts a run with a file's text, and returns the sentence by which it is refused."""

    def run(text: str | None, name: str = "Own", file: str = "own.py", **model: Any) -> str:
        if text is not None:
            (tmp_path / file).write_text(text, "utf-8")
        with pytest.raises(HornbookError) as caught:
            start(
                make_recipe(
                    {
                        "name": "run",
                        "out": str(tmp_path / "run"),
                        "cache": str(tmp_path_factory.getbasetemp() / "cache"),
                        "corpus": {"path": str(story_file), "documents": "line", "heldout_fraction": 0.1},
                        "tokenizer": {"vocab_size": 400},
                        "model": {"code": f"{tmp_path / file}:{name}", "length": 16, **model},
                        "objective": "causal",
                        "training": {"steps": 1, "batch": 4, "trackers": []},
                    }
                ),
                Reporter(silent=True),
            )
        assert "\n" not in str(caught.value) and not (tmp_path / "run").exists()
        return str(caught.value)

    return run


FILES = {
    "a class that isn't there": (PLAIN, "Owm", "own.py: there is no class 'Owm' in it; did you mean 'Own'?"),
    "no module": (PLAIN, "Other", "own.py: Other is no torch.nn.Module"),
    "an imported class": (
        VARIANT,
        "GPTNeoForCausalLM",
        "GPTNeoForCausalLM is imported from transformers.models.gpt_neo.modeling_gpt_neo, and not defined there",
    ),
    "a missing package": (
        "import torch\nimport flash_attention_9\n",
        "Own",
        "No module named 'flash_attention_9' (own.py:2: import flash_attention_9): install flash_attention_9",
    ),
    "a missing name": ("from torch import nothing\n", "Own", "cannot import name 'nothing' from 'torch'"),
    "a missing neighbour": (
        "from .layers import One\n",
        "Own",
        "it imports layers.py from beside it, which isn't there",
    ),
    "a syntax error": ("import torch\nclass Own(\n    x = = 1\n", "Own", "own.py:"),
    "an error while it runs": (
        "import torch\ntorch.zeros(2) @ torch.zeros(3)\n",
        "Own",
        "(own.py:2: torch.zeros(2)",
    ),
    "an exit": ("raise SystemExit(3)\n", "Own", "own.py: it can't be imported: SystemExit: 3"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_wrong(what: str, refused: Callable[..., str]) -> None:
    text, name, said = FILES[what]
    assert said in refused(text, name)


def test_a_file_that_is_not_there(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(PLAIN)
    assert (
        "there is no such file" in (said := refused(None, file="onw.py")) and "did you mean 'own.py'?" in said
    )
    assert "can't import 'my-own.py'" in refused(PLAIN, file="my-own.py")
    assert "write it as FILE.py:CLASS" in refused(PLAIN, name="")


CLASSES = {
    "a tuple": (
        ("return self.out(self.words(input_ids).cumsum(1))", "return self.words(input_ids), None"),
        "Own.forward, given ids (2, 8), gives a tuple, and has to give one tensor (batch, length, ...)",
    ),
    "one output for a text": ((".cumsum(1)", ".mean(1)"), "gives a tensor (2, "),
    "an error in forward": (
        ("self.out(", "self.outs("),
        "has no attribute 'outs' (own.py:9: return self.outs(",
    ),
    "an error in the constructor": (
        ("width)\n", "wide)\n"),
        "name 'wide' is not defined (own.py:6: self.words",
    ),
    "NaN weights": (
        ("        self.out =", "        self.words.weight.data[0] = float('nan')\n        self.out ="),
        "values that are no finite numbers (own.py:6)",
    ),
    "no declaration": (
        ("    hornbook =", "    hornbooks ="),
        "doesn't declare 'head', 'causal' if each token",
    ),
    "half a declaration": (('"gives": "logits", ', ""), "doesn't declare 'gives', what forward gives"),
    "a misspelt declaration": (
        ('"style"', '"styel"'),
        "hornbook declares 'styel', which nobody reads; did you mean",
    ),
    "no layer of that name": (
        ('"gives": "logits"', '"gives": "hidden", "output": "head"'),
        "the output layer is looked for under that name",
    ),
    "other arguments": (
        ("vocab_size, width=8", "vocab_size, width, depth"),
        (
            "Own's constructor asks for width, depth, which nobody gives: put it under model.config, such as --set "
            "model.config.width=..."
        ),
    ),
}


@pytest.mark.parametrize("what", CLASSES)
def test_a_class_that_is_wrong(what: str, refused: Callable[..., str]) -> None:
    (right, wrong), said = CLASSES[what]
    assert right in PLAIN
    assert said in refused(PLAIN.replace(right, wrong))


def test_arguments_that_the_constructor_does_not_take(refused: Callable[..., str]) -> None:
    assert "constructor takes no 'widht'; did you mean 'width'?" in refused(PLAIN, config={"widht": 3})
    assert "vocab_size follows from the tokenizer" in refused(PLAIN, config={"vocab_size": 3})
    assert "is a plain module, whose sizes are its own: leave bert-tiny out" in refused(
        PLAIN, preset="bert-tiny"
    )


def test_a_variant_and_its_preset(refused: Callable[..., str]) -> None:
    assert "takes its size from one of tinystories-1m, " in refused(VARIANT)
    assert "and the preset bert-tiny is one of BertConfig" in refused(VARIANT, preset="bert-tiny")
    assert "gpt_neo has no value 'slope'" in refused(VARIANT, preset="tinystories-1m", config={"slope": 1})
    lost = VARIANT.replace("    pass", "    base_model_prefix = 'model'")
    small = {"hidden_size": 16, "num_layers": 1, "num_heads": 2}
    assert "set base_model_prefix to the name of the inner model" in refused(
        lost, preset="tinystories-1m", config=small
    )
    gone = VARIANT.replace(
        "    pass",
        "    def __init__(self, config):\n        super().__init__(config)\n        self.transformer.wpe = None",
    )
    assert "declare another's name in the class, or none" in refused(
        gone, preset="tinystories-1m", config=small
    )


def test_a_recipe_without_a_model() -> None:
    with pytest.raises(HornbookError, match=r"model\.preset: is missing"):
        make_recipe({"name": "x", "model": {}, "objective": "causal", "training": {"steps": 1}})


def test_an_architecture_of_no_family_is_asked_for_all(refused: Callable[..., str]) -> None:
    text = """from transformers import PretrainedConfig, PreTrainedModel
class OwnConfig(PretrainedConfig):
    model_type = "nobodys"
class Own(PreTrainedModel):
    config_class = OwnConfig
"""
    assert "doesn't declare 'head'" in refused(text)
    said = refused(text + "    hornbook = {'head': 'causal'}\n")
    assert "has to declare title, paper, style, kind, head_name, inputs, position_table" in said
