"""The published BERT-tiny exercise, as a learner writes it: it is found broken without a wrapper, and mended."""

import linecache
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hornbook.contract import probe_module
from hornbook.errors import HornbookError
from hornbook.families.custom import read_class

BERT = """
import torch
from torch import nn

class Embeddings(nn.Module):
    def __init__(self, vocab, hidden, length):
        super().__init__()
        self.words = nn.Embedding(vocab, hidden, padding_idx=0)
        self.places = nn.Embedding(length, hidden)
        self.segments = nn.Embedding(2, hidden)
        self.norm, self.dropout = nn.LayerNorm(hidden), nn.Dropout(0.1)

    def forward(self, input_ids, token_type_ids):
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        return self.dropout(self.norm(self.words(input_ids) + self.places(places) + self.segments(token_type_ids)))

class Bert(nn.Module):
    def __init__(self, vocab=100, hidden=32, heads=2, layers=3, length=64):
        super().__init__()
        self.embeddings = Embeddings(vocab, hidden, length)
        layer = nn.TransformerEncoderLayer(hidden, heads, 4 * hidden, activation="gelu")
        self.layers = nn.ModuleList([layer] * layers)
        self.head = nn.Linear(hidden, vocab)

    def forward(self, input_ids, token_type_ids, **kwargs):
        hidden = self.embeddings(input_ids, token_type_ids)
        for layer in self.layers:
            hidden = layer(hidden)
        return self.head(hidden)
"""

FIXES = {
    "C52": ('activation="gelu")', 'activation="gelu", batch_first=True)', "batch_first=True"),
    "C51": (
        "nn.ModuleList([layer] * layers)",
        "nn.ModuleList([copy.deepcopy(layer) for _ in range(layers)])",
        "copy.deepcopy(layer)",
    ),
    "C43": ("layer(hidden)", "layer(hidden, src_key_padding_mask=mask)", "src_key_padding_mask"),
}
"""By check: the line that is wrong, the line that its advice leads to, and the words of the advice."""


def learner(source: str, name: str = "Bert", **arguments: Any) -> nn.Module:
    """Run a learner's code as a file would."""
    linecache.cache["bert.py"] = (len(source), None, source.splitlines(True), "bert.py")
    scope: dict[str, Any] = {}
    exec(compile(source, "bert.py", "exec"), scope)
    torch.manual_seed(0)
    made: nn.Module = scope[name](**arguments)
    return made


def test_three_faults_are_found_and_what_is_said_mends_them() -> None:
    source, found = BERT, set()
    for _ in range(len(FIXES) + 1):
        problems = {one.id: one for one in probe_module(learner(source), "masked").problems}
        assert problems.keys() <= FIXES.keys()
        found |= problems.keys()
        for one, problem in problems.items():
            wrong, right, advice = FIXES[one]
            assert advice in problem.fix
            source = source.replace(wrong, right)
        source = source.replace("import torch\n", "import copy, torch\n", 1)
        if "mask=mask" in source:
            source = source.replace("**kwargs):", "attention_mask):\n        mask = attention_mask == 0")
    assert found == FIXES.keys() and not problems


def test_the_lines_at_fault_are_named(tmp_path: Path) -> None:
    line = next(number for number, text in enumerate(BERT.splitlines(), 1) if "self.layers = " in text)
    fixed = BERT.replace(*FIXES["C52"][:2])
    for name, source, wanted in (("first", BERT, {"C51", "C52"}), ("second", fixed, {"C51", "C43"})):
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
        module = read_class(f"{tmp_path / f'{name}.py'}:Bert").found()
        problems = {one.id: one.found for one in probe_module(module, "masked").problems}
        assert problems.keys() == wanted
        assert all(f"({name}.py:{line})" in found for found in problems.values()), problems


@pytest.mark.parametrize("head", ["causal", "masked"])
def test_what_forward_takes_is_given(head: Any) -> None:
    right = BERT
    for wrong, better, _ in FIXES.values():
        right = right.replace(wrong, better)
    right = "import copy\n" + right
    for takes in (
        "self, token_type_ids, input_ids, attention_mask",
        "self, input_ids, position_ids, token_type_ids, attention_mask, labels=None, weights=None",
        "self, *, input_ids, token_type_ids, attention_mask",
        "self, ids, attention_mask, token_type_ids",
    ):
        source = right.replace(
            "self, input_ids, token_type_ids, **kwargs):", f"{takes}):\n        mask = attention_mask == 0"
        )
        if "self, ids" in takes:
            source = source.replace("self.embeddings(input_ids", "self.embeddings(ids")
        report = probe_module(learner(source), head)
        assert {one.id for one in report.problems} == ({"C44"} if head == "causal" else set()), takes


@pytest.mark.parametrize(
    ("takes", "gives", "told"),
    [
        (
            "input_ids, token_type_ids, window",
            "hidden",
            "Bert.forward asks for window, and only these can be made",
        ),
        ("input_ids", "hidden.mean(1)", "a Tensor with (2, 32): give a tensor (batch, length, ...)"),
        ("input_ids", "(None, None)", "gives a tuple with no tensor"),
        (
            "input_ids",
            "self.heads(hidden)",
            "AttributeError: 'Bert' object has no attribute 'heads' (bert.py:27: return self.heads(hidden))",
        ),
    ],
)
def test_what_cannot_be_called_is_told(takes: str, gives: str, told: str) -> None:
    source = re.sub(r"(?s)    def forward\(self, input_ids, token_type_ids, \*\*kwargs\).*", "", BERT) + (
        f"    def forward(self, {takes}):\n        hidden = self.embeddings(input_ids, torch.zeros_like(input_ids))\n"
        f"        return {gives}\n"
    )
    with pytest.raises(HornbookError) as caught:
        probe_module(learner(source), "masked")
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_a_tuple_is_taken_for_what_it_holds() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.head = nn.Embedding(9, 8), nn.Linear(8, 9)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            weights = torch.arange(1.0, 1 + x.shape[1], device=x.device)
            hidden = (self.words(x) * weights[:, None]).cumsum(1)
            return self.head(hidden), hidden.mean()

    assert not [one for one in probe_module(Pair(), "causal").problems if one.severity == "error"]
