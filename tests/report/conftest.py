"""Run folders as the training loop writes them, with plausible curves, made up."""

import json
import math
import random
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from hornbook.studies.answer import answer
from hornbook.studies.figure import Figure

CORPUS = {
    "name": "the Python manuals (CPython 3.11.7)",
    "fingerprint": "5c1f90d2aa34",
    "train": {"documents": 12961, "bytes": 1_868_322, "tokens": 486_218},
    "heldout": {"documents": 682, "bytes": 98_472, "tokens": 25_604},
}
VERSIONS = {
    "hornbook": "0.1.0",
    "python": "3.11.7",
    "torch": "2.13.0+cpu",
    "transformers": "5.23.0",
    "numpy": "2.3.5",
}
MACHINE = {
    "processor": "x86_64",
    "cores": 2,
    "memory": "24 GiB",
    "system": "Linux 6.1",
    "choices": {"threads": {"chosen": "2", "why": "HORNBOOK_THREADS is 2"}},
}
HEADS = {"causal": "causal", "masked": "masked", "span corruption": "seq2seq"}

Make = Callable[..., Path]


def measures(objective: str, loss: float, bits: float) -> list[dict[str, Any]]:
    over = "682 documents, 98,472 bytes"
    if objective == "causal":
        return [
            {
                "measure": "bits per byte",
                "value": bits,
                "unit": "bits/byte",
                "over": over,
                "rule": "Every document is read in windows of 128 tokens, and each token counts once.",
                "comparable": "It compares with any causal model on the same text, whatever its tokenizer.",
            }
        ]
    if objective == "masked":
        return [
            {
                "measure": "masked-token loss",
                "value": loss,
                "unit": "nats/label",
                "over": over,
                "rule": "15 % of the tokens are hidden, the same ones at every evaluation.",
                "comparable": "It compares with masked models that have the same tokenizer and rate.",
            },
            {
                "measure": "pseudo-log-likelihood",
                "value": 1.418,
                "unit": "bits/byte",
                "over": over,
                "rule": "Each token is hidden in turn, and all of the others are seen.",
                "comparable": "It compares with other masked models, never with bits per byte.",
            },
        ]
    return [
        {
            "measure": "span loss",
            "value": loss,
            "unit": "nats/label",
            "over": over,
            "rule": "15 % of the tokens are hidden, in spans of 3 on average.",
            "comparable": "It compares with span corruption at the same density, length and tokenizer.",
        }
    ]


SAMPLES: dict[str, list[dict[str, Any]]] = {
    "causal": [
        {
            "kind": "generate",
            "prompt": "Return the number of",
            "output": "Return the number of elements in the list, or raise ValueError if the value is not "
            "present. If the optional argument is given, the search begins at that index.",
        },
        {
            "kind": "generate",
            "prompt": "If the file does not exist,",
            "output": " it is created in the current directory with the given mode. The default is to open "
            "the file for reading, and an OSError is raised otherwise.",
        },
    ],
    "masked": [
        {
            "kind": "unmask",
            "prompt": "Return a new [MASK] of bytes.",
            "output": "Return a new string of bytes.",
            "candidates": [
                {"token": "string", "probability": 0.412, "text": "Return a new string of bytes."},
                {"token": "list", "probability": 0.187, "text": "Return a new list of bytes."},
                {"token": "sequence", "probability": 0.093, "text": "Return a new sequence of bytes."},
                {"token": "set", "probability": 0.048, "text": "Return a new set of bytes."},
            ],
        },
        {
            "kind": "unmask",
            "prompt": "Raise an [MASK] if the key is not found.",
            "output": "Raise an error if the key is not found.",
            "candidates": [
                {"token": "error", "probability": 0.535, "text": ""},
                {"token": "exception", "probability": 0.291, "text": ""},
                {"token": "object", "probability": 0.022, "text": ""},
            ],
        },
    ],
    "span corruption": [
        {
            "kind": "infill",
            "prompt": "Return True if <extra_id_0> is a directory.",
            "output": "Return True if ⟦the path⟧ is a directory.",
        },
        {
            "kind": "infill",
            "prompt": "The default <extra_id_0> None, which means that <extra_id_1> is used.",
            "output": "The default ⟦value is⟧ None, which means that ⟦the current locale⟧ is used.",
        },
    ],
}


@pytest.fixture
def make_run(tmp_path: Path) -> Make:
    """Write a run folder and give its path."""

    def make(
        name: str,
        family: str = "gpt_neo",
        objective: str = "causal",
        tokenizer: tuple[str, int, str] = ("bpe", 8192, "ab12cd34ef"),
        floor: float = 2.6,
        speed: float = 21_000,
        steps: int = 600,
        done: int | None = None,
        **more: Any,
    ) -> Path:
        folder = tmp_path / name.replace("/", "-")
        folder.mkdir()
        draw = random.Random(name)
        lines: list[dict[str, Any]] = []

        def loss(step: int) -> float:
            return floor + (math.log(tokenizer[1]) - floor) * (1 + step / 25) ** -0.75

        for step in range(0, (steps if done is None else done) + 1, 5):
            now: dict[str, Any] = {
                "step": step,
                "tokens": step * 4096,
                "seconds": round(step * 4096 / speed, 2),
            }
            if step:
                rate = 1e-3 * min(1, step / 60) * (1 - max(0, step - 60) / (steps - 60))
                noisy = loss(step) + draw.gauss(-0.03, 0.09)
                lines.append({"kind": "train", "loss": noisy, "learning_rate": rate, "gradient_norm": 1.1,
                              "tokens_per_second": speed, **now})  # fmt: skip
            if step % 50 == 0:
                bits = {"bits_per_byte": loss(step) / math.log(2) / 3.85} if objective == "causal" else {}
                lines.append({"kind": "evaluate", "loss": loss(step), **bits, **now})
        final = lines[-1]
        kind, size, digest = tokenizer
        description = {
            "name": name, "family": family, "preset": "tinystories-3m", "objective": objective,
            "head": HEADS[objective], "parameters": 2_912_384,
            "tokenizer": {"kind": kind, "vocab_size": size, "hash": digest}, "corpus": CORPUS, "seed": 0,
            "length": 128, "batch": 32, "command": "hornbook quickstart", "steps": steps,
            "versions": VERSIONS, "machine": MACHINE,
            "precision": {"chosen": "fp32", "why": "this processor has no bf16 units"},
        } | {key: value for key, value in more.items() if key != "samples"}  # fmt: skip
        (folder / "run.json").write_text(json.dumps(description))
        (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (folder / "recipe.yaml").write_text(f"family: {family}\nobjective: {objective}\nseed: 0\n")
        if done is None:
            outcome = {
                "measures": measures(objective, final["loss"], final.get("bits_per_byte", 0.0)),
                "samples": more.get("samples", SAMPLES[objective]),
            }
            (folder / "evaluation.json").write_text(json.dumps(outcome))
        return folder

    return make


@pytest.fixture
def three(make_run: Make) -> list[Path]:
    """The runs of the quickstart: BERT, GPT-Neo and T5."""
    return [
        make_run("quickstart-bert", "bert", "masked", ("wordpiece", 8192, "77aa01bc"), 2.4, 26_400,
                 preset="bert-tiny", parameters=1_478_528),
        make_run("quickstart-gpt-neo", parameters=2_912_384),
        make_run("quickstart-t5", "t5", "span corruption", ("unigram", 8192, "90fe33d1"), 2.9, 14_800,
                 preset="t5-v1.1-tiny", parameters=3_104_896),
    ]  # fmt: skip


@pytest.fixture
def found() -> dict[str, Any]:
    """What a study of two arms and three seeds may find, made up."""
    values = {"plain <b>": [4.0, 4.1, 4.2], "new": [3.0, 3.11, 3.2]}
    figure = Figure(loss="masked")  # type: ignore[arg-type]
    arms = {
        arm: {
            "changes": {"model.length": 64} if number else {},
            "runs": [f"{number}-{seed}" for seed in range(3)],
            "failed": {},
            "steps": 400,
            "tokens": 819_200,
            "parameters": 1_478_528,
            "seconds": [61.0, 62.5, 60.4],
            "values": {"held-out loss": ends},
            "curves": [
                [
                    {"step": step, "tokens": 2048 * step, "seconds": 0.15 * step, "value": end + 400 / step}
                    for step in (100, 200, 300, 400)
                ]
                for end in ends
            ],
        }
        for number, (arm, ends) in enumerate(values.items())
    }
    return {
        "name": "made-up",
        "question": "Is it <i>new</i>?",
        "about": "It is made up.",
        "equal_seconds": 60.0,
        "remarks": ["They aren't <b>equal</b>."],
        "figures": {
            "held-out loss": {
                "unit": "nats/label",
                "objective": "masked",
                "lower": True,
                "rules": [{"arms": list(values), "text": "masked", "over": "", "baseline": None}],
            }
        },
        "arms": arms,
        "answers": [asdict(one) for one in answer("held-out loss", figure, values)],
        "seeds": 3,
        "settings": ["corpus.limit=9"],
        "study": {"question": "Is it <i>new</i>?", "arms": {"plain <b>": {}, "new": {"model.length": 64}}},
        "recipe": "name: plain\n",
        "corpus": CORPUS,
        "tokenizer": {"kind": "bpe", "vocab_size": 8192, "hash": "ab12cd34ef"},
        "precision": {"chosen": "fp32", "why": "this processor has no bf16 units"},
        "versions": VERSIONS,
        "machine": MACHINE,
    }
