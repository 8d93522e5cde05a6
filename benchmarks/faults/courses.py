"""The runs that are attacked: a tiny one for every objective."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hornbook.families import find
from hornbook.testing.case import tiny_values
from hornbook.testing.stories import make_stories

STEPS, INTERVAL = 6, 2
"""Steps of a run, and between two checkpoints."""
PRESETS = {
    "causal": "tinystories-1m",
    "masked": "bert-tiny",
    "masked_next_sentence": "bert-tiny",
    "masked_sentence_order": "albert-base-v2",
    "replaced_tokens": "electra-small",
    "span_corruption": "t5-small",
    "denoisers": "t5-small",
}


@dataclass(frozen=True)
class Course:
    """A run of an objective, in a place of its own."""

    objective: str
    place: Path

    @property
    def run(self) -> Path:
        """The run's folder."""
        return self.place / "run"

    @property
    def cache(self) -> Path:
        """The cache of tokenizers and tokens."""
        return self.place / "cache"

    @cached_property
    def values(self) -> dict[str, Any]:
        """The recipe."""
        text = self.place / "stories.txt"
        if not text.exists():
            self.place.mkdir(parents=True, exist_ok=True)
            text.write_text("\n".join(make_stories(80)), "utf-8")
        preset = PRESETS[self.objective]
        return {
            "name": "run",
            "out": str(self.run),
            "cache": str(self.cache),
            "corpus": {"path": str(text), "documents": "line", "heldout_fraction": 0.1},
            "tokenizer": {"vocab_size": 600},
            "model": {"preset": preset, "length": 32, "config": tiny_values(find(preset), 0.1)},
            "objective": self.objective,
            "training": {
                "steps": STEPS,
                "batch": 2,
                "checkpoint_every": INTERVAL,
                "evaluate_every": 3,
                "evaluate_windows": 2,
                "log_every": 1,
                "precision": "fp32",
                "trackers": [],
            },
        }
