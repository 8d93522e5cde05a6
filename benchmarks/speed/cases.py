"""What is trained: one model, one batch, one objective a case, the same for everyone who takes part."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.recipe import Recipe, make_recipe

FOREVER = 10**6
"""Steps of a run that is stopped when it has been timed."""

SHARED_TRAINING: dict[str, Any] = {
    "learning_rate": 1e-3,
    "weight_decay": 0.1,
    "betas": (0.9, 0.95),
    "epsilon": 1e-8,
    "clip": 1.0,
    "warmup": 100,
    "schedule": "cosine",
}
"""AdamW's settings in the table of tokens per second, for everyone; the schedule doesn't matter there."""


@dataclass(frozen=True)
class Case:
    """A model with its objective, length and batch."""

    name: str
    title: str
    preset: str
    length: int
    batch: int
    vocab_size: int
    """Entries that the tokenizer is trained to; where the text yields fewer, unused ones fill it up."""
    objective: dict[str, Any]
    config: dict[str, Any] = field(default_factory=dict)
    contenders: tuple[str, ...] = ("trainer", "hornbook")
    own: dict[str, Any] = field(default_factory=dict)
    """Training options with which Hornbook goes for a held-out loss: those of the recipe that comes with it."""
    own_config: dict[str, Any] = field(default_factory=dict)
    """What that recipe says of the model beyond its size: dropout."""

    @property
    def tokens(self) -> int:
        """Input tokens in a step."""
        return self.batch * self.length

    def recipe(
        self,
        corpus: dict[str, Any],
        tokenizer: dict[str, Any],
        cache: Path,
        out: Path,
        training: dict[str, Any],
        config: dict[str, Any] | None = None,
    ) -> Recipe:
        """Make Hornbook's recipe for this case."""
        given = {
            "name": self.name,
            "out": str(out),
            "cache": str(cache),
            "corpus": corpus,
            "tokenizer": tokenizer,
            "model": {
                "preset": self.preset,
                "length": self.length,
                "config": self.config | (config or {}),
            },
            "objective": self.objective,
            "training": {"batch": self.batch} | training,
        }
        return make_recipe(given, source=f"benchmark {self.name}")


# Every example is full: padding would count as tokens that nobody has learned from.
_MASKED = {"name": "masked", "short": 0.0}
_CAUSAL = {"name": "causal"}
_SPANS = {"name": "span_corruption"}
_SMALL = {
    "num_hidden_layers": 4,
    "hidden_size": 256,
    "num_attention_heads": 4,
    "intermediate_size": 1024,
}
_NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
_MUON = {"optimizer": "muon", "learning_rate": 1e-2}

CASES = {
    case.name: case
    for case in (
        Case(
            "bert-tiny-128",
            "BERT-tiny, masked, 128",
            "bert-tiny",
            128,
            32,
            30522,
            _MASKED,
            own=_MUON,
            own_config=_NO_DROPOUT,
        ),
        Case(
            "bert-tiny-512",
            "BERT-tiny, masked, 512",
            "bert-tiny",
            512,
            8,
            30522,
            _MASKED,
            own=_MUON,
            own_config=_NO_DROPOUT,
        ),
        Case(
            "gpt-neo-512",
            "GPT-Neo 256 x 4, causal, 512",
            "tinystories-8m",
            512,
            8,
            10000,
            _CAUSAL,
            # The published 16 heads are 16 wide at this width; 4 of 64 are what a CPU and a GPU like.
            {"num_layers": 4, "num_heads": 4},
            ("trainer", "nanogpt", "litgpt", "hornbook"),
            own=_MUON | {"batch": 2},  # minutes are too few for many steps of 4,096 tokens
        ),
        Case(
            "t5-512",
            "T5 v1.1 256, 4 + 4, 512/114",
            "t5-v1.1-tiny",
            512,
            8,
            10000,
            _SPANS,
            own={"optimizer": "adafactor", "learning_rate": 3e-2},
            own_config={"dropout_rate": 0.0},
        ),
        Case(
            "albert-128",
            "ALBERT 256 x 12, masked, 128",
            "albert-base-v2",
            128,
            32,
            30000,
            _MASKED,
            _SMALL | {"num_hidden_layers": 12},
            own={"learning_rate": 1e-3},
        ),
        Case(
            "roberta-128",
            "RoBERTa 256 x 4, masked, 128",
            "roberta-base",
            128,
            32,
            10000,
            _MASKED,
            _SMALL,
            own=_MUON,
            own_config=_NO_DROPOUT,
        ),
        Case(
            "pythia-14m-512",
            "Pythia-14m, causal, 512",
            "pythia-14m",
            512,
            8,
            50304,
            _CAUSAL,
            contenders=("trainer", "nanogpt", "litgpt", "hornbook"),
            own=_MUON,
        ),
    )
}
