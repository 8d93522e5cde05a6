"""What a teacher would ask of a class: each fault that is put into a right one is found, with its line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hornbook.contract import Report, check_run
from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.families.custom import family_of_code
from hornbook.objectives import OBJECTIVES

EXAMPLES = Path(__file__).parents[2] / "examples" / "architectures"
PLAIN = (EXAMPLES / "plain.py").read_text("utf-8")

VARIANT = """
import torch
from torch import nn
from transformers import GPTNeoConfig, GPTNeoForCausalLM

class VariantConfig(GPTNeoConfig):
    model_type = "variant"

class Variant(GPTNeoForCausalLM):
    config_class = VariantConfig
    hornbook = {"same_as_parent": {}}

    def __init__(self, config):
        super().__init__(config)
        self.transformer.ln_f = Norm(config.hidden_size)
        self.post_init()

class Norm(nn.LayerNorm):
    def __init__(self, width):
        super().__init__(width)
        self.register_buffer("ones", torch.ones(width))

    def forward(self, states):
        return super().forward(states) * self.ones
"""

Examine = Callable[..., Report]


@pytest.fixture
def examine(ready: Any, tmp_path: Path) -> Examine:
    """Give what makes a run's model of a file's text, and lets the doctor look at it."""

    def look(source: str, name: str, preset: str = "", values: Any = None, **options: Any) -> Report:
        made = ready(preset or "tinystories-1m")
        (tmp_path / "own.py").write_text(source, "utf-8")
        family = family_of_code(f"{tmp_path / 'own.py'}:{name}", preset)
        (head,) = family.heads
        size = preset or next(iter(family.presets))
        config = family.configure(size, made.tokenizer, made.length, values or {})
        objective = OBJECTIVES[head](**options)
        return check_run(
            config, made.tokenizer, objective, made.length, family.build(config, head, 0), family
        )

    return look


def told(report: Report) -> dict[str, str]:
    return {one.id: one.found for one in report.problems}


PLAIN_FAULTS = [
    ("C37", "nn.init.normal_(self.words.weight, std=0.02)", "pass", None),
    (
        "T01",
        "normal_(self.words.weight, std=0.02)",
        "constant_(self.words.weight, float('nan'))",
        "self.words =",
    ),
    ("T03", "self.words(input_ids) + self.places(places)", "self.words(input_ids)", "self.places ="),
    ("C44", "src_mask=later, is_causal=True", "src_mask=None", "nn.ModuleList("),
    (
        "T04",
        "self.head(self.norm(states))",
        "self.head(nn.functional.dropout(self.norm(states)))",
        "functional.dropout",
    ),
    (
        "T05",
        "self.head(self.norm(states))",
        "self.head(self.norm(states).float())",
        "self.norm(states).float()",
    ),
    (
        "T06",
        "torch.arange(input_ids.shape[1], device=input_ids.device)",
        "torch.arange(input_ids.shape[1])",
        "arange",
    ),
    (
        "T06",
        "self.norm = nn.LayerNorm(width)",
        "self.norm = nn.LayerNorm(width); self.one = torch.ones(3)",
        "self.one",
    ),
    (
        "T10",
        "self.norm = nn.LayerNorm(width)",
        "self.norm = nn.LayerNorm(width); self.by = torch.rand(()).item() + 1",
        None,
    ),
]


@pytest.mark.parametrize(("id", "right", "wrong", "line"), PLAIN_FAULTS)
def test_a_fault_in_a_plain_module_is_found(
    examine: Examine, id: str, right: str, wrong: str, line: str | None
) -> None:
    source = PLAIN.replace(right, wrong)
    if "self.by" in wrong:  # drawn anew each time that the class is made
        source = source.replace("self.norm(states))", "self.norm(states) * self.by)")
    assert source != PLAIN
    found = told(examine(source, "PlainDecoder", values={"width": 32}))
    assert id in found, found
    if id == "T04":
        assert found.keys() == {id}  # what is random isn't taken for a leak
    if line is not None:
        number = next(n for n, text in enumerate(source.splitlines(), 1) if line in text)
        assert re.search(rf"own\.py:{number}\b", found[id]), found[id]


def test_a_plain_module_that_is_right(examine: Examine) -> None:
    report = examine(PLAIN, "PlainDecoder", values={"width": 32})
    assert told(report) == {}
    assert {"C44", "C52", "T01", "T02", "T03", "T04", "T05", "T06", "T07", "T08", "T10"} <= set(
        report.checked
    )
    refused = told(examine(PLAIN, "PlainDecoder", values={"width": 32}, document_mask=True))
    assert "takes no position_ids" in refused["T09"]


def test_a_plain_module_that_keeps_documents_apart(examine: Examine) -> None:
    """As T09 advises: a place sees only what stands since position_ids last were 0."""
    own = PLAIN[: PLAIN.index("    def forward")] + (
        "    def forward(self, input_ids, position_ids=None):\n"
        "        places = torch.arange(input_ids.shape[1], device=input_ids.device)\n"
        "        position_ids = places.expand_as(input_ids) if position_ids is None else position_ids\n"
        "        text = (position_ids == 0).cumsum(1)\n"
        "        hidden = (places > places[:, None]) | (text[:, :, None] != text[:, None, :])\n"
        "        states = self.words(input_ids) + self.places(position_ids)\n"
        "        for block in self.blocks:\n"
        "            states = block(states, src_mask=hidden.repeat_interleave(4, 0))\n"
        "        return self.head(self.norm(states))\n"
    )
    assert told(examine(own, "PlainDecoder", values={"width": 32}, document_mask=True)) == {}
    seeing = own.replace(" | (text[:, :, None] != text[:, None, :])", "").replace(
        "hidden.repeat_interleave(4, 0)", "hidden"
    )
    found = told(examine(seeing, "PlainDecoder", values={"width": 32}, document_mask=True))
    assert found.keys() == {"T09"} and "the same document alone" in found["T09"]


def test_a_plain_module_that_hides_padding_before_a_text(examine: Examine) -> None:
    """As T11 advises: the mask hides places from those after them; or the class doesn't take it, as the example."""
    own = PLAIN[: PLAIN.index("    def forward")] + (
        "    def forward(self, input_ids, attention_mask=None):\n"
        "        places = torch.arange(input_ids.shape[1], device=input_ids.device)\n"
        "        here = torch.ones_like(input_ids) if attention_mask is None else attention_mask\n"
        "        hidden = (places > places[:, None]) | (here[:, None] == 0) & (places != places[:, None])\n"
        "        states = self.words(input_ids) + self.places(places)\n"
        "        for block in self.blocks:\n"
        "            states = block(states, src_mask=hidden.repeat_interleave(4, 0))\n"
        "        return self.head(self.norm(states))\n"
    )
    assert told(examine(own, "PlainDecoder", values={"width": 32})) == {}
    unheeded = own.replace(" | (here[:, None] == 0) & (places != places[:, None])", "").replace(
        "hidden.repeat_interleave(4, 0)", "hidden"
    )
    found = told(examine(unheeded, "PlainDecoder", values={"width": 32}))
    assert found.keys() == {"T11"} and "with attention_mask 0 on padding before it" in found["T11"]
    ignorant = unheeded.replace(", attention_mask=None", "").replace(
        "here = torch.ones_like(input_ids) if attention_mask is None else attention_mask", "pass"
    )
    assert told(examine(ignorant, "PlainDecoder", values={"width": 32})) == {}


def test_a_bag_of_words(examine: Examine) -> None:
    source = PLAIN.replace('"causal"', '"masked"').replace("src_mask=later, is_causal=True", "src_mask=None")
    source = source.replace("'gpt'", "'shared'").replace("self.places(places)", "0 * self.places(places)")
    found = told(examine(source, "PlainDecoder", values={"width": 32}))
    assert "second and third word swapped" in found["T02"]


def test_a_variant_that_is_right(examine: Examine) -> None:
    report = examine(VARIANT, "Variant", "tinystories-1m", GPT, document_mask=True)
    assert told(report) == {}
    assert {"T07", "T08", "T09", "T10"} <= set(report.checked)


@pytest.mark.parametrize(
    ("id", "right", "wrong", "said"),
    [
        ("T08", "(states) * self.ones", "(states) * 2 * self.ones", "apart from GPTNeoForCausalLM's"),
        (
            "T10",
            "torch.ones(width))",
            "torch.rand(width) + 1, persistent=False)",
            "not saved: transformer.ln_f.ones (own.py:",
        ),
        (
            "T07",
            "class Norm",
            (
                "    def forward(self, input_ids=None, attention_mask=None, **more):\n"
                "        out = super().forward(input_ids, attention_mask=attention_mask, **more)\n"
                "        out.logits = out.logits * 2\n        return out\n\nclass Norm"
            ),
            "apart from those of Variant.forward",
        ),
        (
            "T07",
            "class Norm",
            (
                "    def forward(self, *given, **more):\n"
                "        return super().forward(*given, **more).to_tuple()\n\nclass Norm"
            ),
            "forward gives a tuple, and no logits by that name",
        ),
    ],
)
def test_a_fault_in_a_variant_is_found(examine: Examine, id: str, right: str, wrong: str, said: str) -> None:
    source = VARIANT.replace(right, wrong)
    assert source != VARIANT
    found = told(examine(source, "Variant", "tinystories-1m", GPT))
    assert said in found.get(id, ""), found


def test_a_layer_that_gives_what_its_neighbours_cannot_use(examine: Examine) -> None:
    """No line of the user's is in the traceback then, so transformers' own line is told."""
    source = (
        VARIANT + "\nclass Pair(nn.Identity):\n    def forward(self, states):\n        return states, None\n"
    )
    source = source.replace(
        "        self.post_init()", "        self.transformer.h[0].mlp = Pair()\n        self.post_init()"
    )
    with pytest.raises(
        HornbookError, match=r"'tuple' \(modeling_gpt_neo\.py:\d+: hidden_states = residual \+ "
    ):
        examine(source, "Variant", "tinystories-1m", GPT)


def test_what_is_said_of_logits_mends_it(examine: Examine) -> None:
    scaled = VARIANT.replace(
        "class Norm",
        "    def forward(self, input_ids=None, attention_mask=None, **more):\n"
        "        out = super().forward(input_ids, attention_mask=attention_mask, **more)\n"
        "        out.logits = out.logits * 2\n        return out\n\nclass Norm",
    ).replace('{"same_as_parent": {}}', "{'gives': 'logits'}")
    assert told(examine(scaled, "Variant", "tinystories-1m", GPT)) == {}


GPT = find("tinystories-1m").tiny
GROUPED = GPT | {"num_heads": 4, "num_key_value_heads": 2}
ROBERTA = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}


@pytest.mark.parametrize(
    ("file", "name", "preset", "values"),
    [
        ("learnable_activation", "SwishGPTNeoForCausalLM", "tinystories-1m", {"steepness": 1.7} | GPT),
        ("learnable_activation", "SwishRobertaForMaskedLM", "roberta-base", ROBERTA),
        ("rotary", "RotaryGPTNeoForCausalLM", "tinystories-1m", GPT),
        (
            "grouped_queries",
            "GroupedGPTNeoForCausalLM",
            "tinystories-1m",
            GPT | {"num_heads": 4, "num_key_value_heads": 2},
        ),
        ("experts", "ExpertsRobertaForMaskedLM", "roberta-base", {"experts": 4} | ROBERTA),
    ],
)
def test_the_examples_are_right(
    examine: Examine, file: str, name: str, preset: str, values: dict[str, Any]
) -> None:
    options = {"document_mask": True} if preset == "tinystories-1m" else {}
    source = (EXAMPLES / f"{file}.py").read_text("utf-8")
    assert told(examine(source, name, preset, values, **options)) == {}
