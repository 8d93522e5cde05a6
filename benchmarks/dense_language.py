"""Do dense tokens lower the bits per byte of a text's words? Against pause tokens and plain models, at equal costs.

    python benchmarks/dense_language.py train.txt validation.txt --documents separator

Small GPT-NeoX models read windows of the text from scratch, and again after ordinary pre-training. All arms of a seed
see the same words in the same order; "dense" and "pause" have a dense token after every `--every` words, filled in
`--rounds` rounds while training and one by one when measured. What a step costs is counted in places that the layers
compute:

- plain: the words alone, for as many steps; the same data.
- plain, same training: as many more steps as cost what the dense model's training costs.
- plain, same use: as many times more layers as the dense model computes places for a word, for as many steps.

Figures are bits per byte of held-out words, and differences are paired, with intervals from a bootstrap over seeds and
windows. Each finished training is kept in `--out`, so that a run that was cut off goes on.
"""

import argparse
import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from hornbook.atomic import beside
from hornbook.corpora import Corpus
from hornbook.dense import DenseModel, DenseOptions
from hornbook.dense.insert import every
from hornbook.dense.kept import Kept
from hornbook.dense.measure import window_nats
from hornbook.dense.prove.statistics import difference
from hornbook.draws import key
from hornbook.store import Plan, Windows, build
from hornbook.tokenizers import STYLES, TokenizerOptions, dress
from hornbook.tokenizers import train as train_tokenizer
from hornbook.training.dense import DenseTraining, train_dense

_trained: dict[tuple[int, int], dict[str, torch.Tensor]] = {}
"""Models after the ordinary pre-training, by seed and layers."""


def read(given: argparse.Namespace, folder: Path) -> tuple[Kept, int]:
    """Windows of the text with a dense token after every so many words, and the rows of the vocabulary."""
    corpus = Corpus(path=given.train, heldout=given.heldout, documents=given.documents)
    options = TokenizerOptions(kind="bpe", vocab_size=given.vocabulary)
    texts = list(corpus.documents_of("train"))
    tokenizer = dress(
        train_tokenizer(texts, options, STYLES["shared"], 0), "causal", given.length, STYLES["shared"]
    )
    end = tokenizer.eos_token_id
    stores = {
        "train": build(folder / "train", texts, tokenizer, end),
        "heldout": build(folder / "heldout", list(corpus.documents_of("heldout")), tokenizer, end),
    }
    found = {}
    for part, most in (("train", None), ("heldout", given.windows)):
        cuts = Windows(len(stores[part].tokens), given.length)
        count = cuts.count if most is None else min(most, cuts.count)
        found[part] = stores[part].windows(Plan(cuts, count, 0).starts(0), given.length)
    counts = stores["heldout"].counts()
    words = found["train"]
    return (
        Kept(words, every(words, given.every), found["heldout"], counts["bytes"] / counts["tokens"], {}),
        len(tokenizer),
    )


def make(given: argparse.Namespace, rows: int, seed: int, layers: int) -> DenseModel:
    config = GPTNeoXConfig(
        vocab_size=rows + 1,
        hidden_size=given.width,
        num_hidden_layers=layers,
        num_attention_heads=given.width // 16,
        intermediate_size=4 * given.width,
        max_position_embeddings=2 * given.length,
        initializer_range=given.width**-0.5,
        use_parallel_residual=False,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000, "partial_rotary_factor": 1.0},
        bos_token_id=None,
        eos_token_id=None,
    )
    torch.manual_seed(key(seed, "weights"))
    return DenseModel(GPTNeoXForCausalLM(config), rows, DenseOptions())


def arms(given: argparse.Namespace) -> dict[str, tuple[str, int, int]]:
    """Name each arm's way to train, its steps and its layers."""
    density = 1 + 1 / given.every
    passes = 1 + (given.rounds / 2 if given.random_rounds else given.rounds)
    deeper = round(given.layers * density)
    return {
        "plain": ("plain", given.steps, given.layers),
        "pause": ("pause", given.steps, given.layers),
        "dense": ("dense", given.steps, given.layers),
        "plain, same training": ("plain", round(given.steps * density * passes), given.layers),
        "plain, same use": ("plain", given.steps, deeper),
    }


def begin(given: argparse.Namespace, kept: Kept, rows: int, start: str, seed: int, layers: int) -> DenseModel:
    """Make the model that all arms of a seed begin with; one that is trained already is trained once."""
    model, which = make(given, rows, seed, layers), (seed, layers)
    if start == "trained" and which in _trained:
        model.load_state_dict(_trained[which])
    elif start == "trained":
        before = DenseTraining(
            arm="plain", steps=given.before, batch=given.batch, learning_rate=given.learning_rate
        )
        train_dense(model, kept, before, seed)
        _trained[which] = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    return model


def run(given: argparse.Namespace, kept: Kept, rows: int, start: str, seed: int, arm: str) -> dict[str, Any]:
    """Train one model, and score each held-out window."""
    way, steps, layers = arms(given)[arm]
    quiet = replace(kept, heldout=kept.heldout[:2])  # the training's own figures aren't used here
    model = begin(given, quiet, rows, start, seed, layers)
    rate = given.learning_rate / (4 if start == "trained" else 1)
    began = time.process_time()
    options = DenseTraining(
        arm=way,
        steps=steps,
        batch=given.batch,
        learning_rate=rate,
        rounds=given.rounds,
        random_rounds=given.random_rounds,
    )
    train_dense(model, quiet, options, seed + 1000)
    cost = time.process_time() - began
    nats = window_nats(model, kept.heldout.astype(np.int64), every(kept.heldout, given.every), way)
    return {"nats": nats.tolist(), "steps": steps, "layers": layers, "seconds": cost}


def table(given: argparse.Namespace, kept: Kept, found: dict[str, Any]) -> str:
    """Write the table in Markdown."""
    lines = [
        "| start | arm | steps | layers | bits per byte | against plain | against pause | processor time |",
        "|---|---|---|---|---|---|---|---|",
    ]
    scale = math.log(2) * kept.bytes_per_token * (kept.heldout.shape[1] - 1)
    for start in given.start:
        scored = {
            arm: np.array([found[f"{start}, {arm}, {seed}"]["nats"] for seed in range(given.seeds)]) / scale
            for arm in arms(given)
        }
        for arm in arms(given):
            first = found[f"{start}, {arm}, 0"]
            against = []
            for other in ("plain", "pause"):
                gap = difference(scored[arm], scored[other])
                against.append("" if arm == other else f"{gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]")
            seconds = np.mean([found[f"{start}, {arm}, {seed}"]["seconds"] for seed in range(given.seeds)])
            lines.append(
                f"| {start} | {arm} | {first['steps']:,} | {first['layers']} | {scored[arm].mean():.4f} | "
                f"{against[0]} | {against[1]} | {seconds:.0f} s |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train")
    parser.add_argument("heldout")
    parser.add_argument("--documents", default="file")
    parser.add_argument("--out", type=Path, default=Path("runs/dense-language"))
    parser.add_argument("--start", nargs="+", default=["scratch", "trained"], choices=["scratch", "trained"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--before", type=int, default=1200, help="Steps of the ordinary pre-training.")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--length", type=int, default=64)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--random-rounds", action="store_true", help="From none to --rounds, drawn for each step."
    )
    parser.add_argument("--windows", type=int, default=512, help="Held-out windows.")
    parser.add_argument("--vocabulary", type=int, default=2048)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    given = parser.parse_args()
    kept, rows = read(given, given.out / "tokens")
    settings = {name: value for name, value in vars(given).items() if name not in ("out", "start", "seeds")}
    file = given.out / "found.json"
    found = json.loads(file.read_text()) if file.exists() else {"settings": settings}
    if found["settings"] != settings:
        raise SystemExit(f"{file}: was begun with {found['settings']}, not {settings}: name another --out")
    for seed in range(given.seeds):
        for start in given.start:
            for arm in arms(given):
                name = f"{start}, {arm}, {seed}"
                if name not in found:
                    found[name] = run(given, kept, rows, start, seed, arm)
                    with beside(file) as new:
                        new.write_text(json.dumps(found))
                    print(
                        f"{name}: {np.mean(found[name]['nats']) / (given.length - 1):.4f} nats a word",
                        flush=True,
                    )
    print(table(given, kept, found))


if __name__ == "__main__":
    main()
