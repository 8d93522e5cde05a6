"""Do dense tokens lower the bits per byte of a text's words? Against pause tokens and plain models, at equal costs.

    python benchmarks/dense_language.py train.txt validation.txt --documents separator

Small GPT-NeoX models read windows of the text from scratch, and again after ordinary pre-training. All arms of a seed
see the same words in the same order; "dense" and "pause" have a dense token after every word, filled in one round while
training and one by one when measured. What a step costs is counted in places that the layers compute:

- plain: the words alone, for as many steps; the same data.
- plain, same training: as many more steps as cost what the dense model's training costs.
- plain, same use: as many times more layers as the dense model computes places for a word, for as many steps.

`--regimes` adds, after ordinary pre-training, other ways to have dense tokens, each with its pause tokens where these
aren't those of above: an auxiliary loss before the token; rounds drawn from 0 to 2; positions of their own; a dense
token after a quarter of the words, chosen by chance, or where the model is least sure, or (for training) the best of
four choices, or the half of twice as many texts that gains most; the best of four, by which the model learns to emit
dense tokens, so that it thinks in held-out text where it emits them; and a dense token after each sentence, in one
round or in four. `--arms` takes some of all these.

Figures are bits per byte of held-out words, and differences are paired, with intervals from a bootstrap over seeds and
windows. Seeds run side by side; each finished training is kept in `--out`, so that a run that was cut off goes on.
"""

import argparse
import json
import math
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from hornbook.atomic import beside
from hornbook.corpora import Corpus
from hornbook.dense_tokens import DenseModel, DenseOptions
from hornbook.dense_tokens.emit import emitted_places
from hornbook.dense_tokens.insert import Ints, every
from hornbook.dense_tokens.measure import Arm, window_nats
from hornbook.dense_tokens.prove.statistics import difference
from hornbook.dense_tokens.select import SelectOptions, keep, score
from hornbook.dense_tokens.selection import Selection
from hornbook.rng import key, permute
from hornbook.store import Plan, Windows, build
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer
from hornbook.tokenizers import train as train_tokenizer
from hornbook.training.dense import DenseTraining, train_dense
from hornbook.training.heap import keep_heap

Places = Literal["every", "chance", "least sure", "best of four", "best half", "emitted", "sentences"]


@dataclass(frozen=True)
class Way:
    """How an arm trains, and what it costs."""

    arm: Arm
    steps: int
    layers: int
    places: Places = "every"
    ahead: float = 0.0
    emission: float = 0.0
    rounds: int = 1
    random_rounds: bool = False
    share_positions: bool = True
    against: str = "pause"
    """The arm that has pause tokens at the same places."""


@dataclass(frozen=True)
class Text:
    """What is read."""

    kept: Selection
    """Windows with a dense token after every word but the last."""
    rows: int
    """Of the vocabulary."""
    stops: npt.NDArray[np.bool_]
    """Which tokens end a sentence."""


def name_texts(parser: argparse.ArgumentParser) -> None:
    """Let the command line name what `read` reads."""
    parser.add_argument("train")
    parser.add_argument("heldout", nargs="?", help="By default some of the documents.")
    parser.add_argument("--documents", default="file")
    parser.add_argument("--field", default="text", help="Of a JSONL file.")


def read(given: argparse.Namespace, folder: Path) -> Text:
    """Cut the text into windows."""
    corpus = Corpus(path=given.train, heldout=given.heldout, documents=given.documents, field=given.field)
    options = TokenizerOptions(kind="bpe", vocab_size=given.vocabulary)
    texts = list(corpus.documents_of("train"))
    tokenizer = build_fast_tokenizer(
        train_tokenizer(texts, options, STYLES["shared"], 0), "causal", given.length, STYLES["shared"]
    )
    end = tokenizer.eos_token_id
    stores = {
        "train": build(folder / "train", texts, tokenizer, end),
        "heldout": build(folder / "heldout", list(corpus.documents_of("heldout")), tokenizer, end),
    }
    found: dict[str, Ints] = {}
    for part, most in (("train", None), ("heldout", given.windows)):
        cuts = Windows(len(stores[part].tokens), given.length)
        count = cuts.count if most is None else min(most, cuts.count)
        found[part] = stores[part].windows(Plan(cuts, count, 0).starts(0), given.length)
    counts = stores["heldout"].counts()
    words = found["train"]
    kept = Selection(words, every(words, 1), found["heldout"], counts["bytes"] / counts["tokens"], {})
    tokens = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    return Text(kept, len(tokenizer), np.array([token.rstrip("\"'")[-1:] in {*".!?"} for token in tokens]))


def ways(given: argparse.Namespace, start: str) -> dict[str, Way]:
    """Name the arms."""
    steps, layers = given.steps, given.layers
    # Twice the places, and a forward pass of two is one of filling.
    found = {
        "plain": Way("plain", steps, layers),
        "pause": Way("pause", steps, layers),
        "dense": Way("dense", steps, layers),
        "plain, same training": Way("plain", 4 * steps, layers),
        "plain, same use": Way("plain", steps, 2 * layers),
    }
    if given.regimes and start == "trained":
        found |= {
            "pause, loss ahead": Way("pause", steps, layers, ahead=0.3),
            "dense, loss ahead": Way("dense", steps, layers, ahead=0.3, against="pause, loss ahead"),
            "dense, 0 to 2 rounds": Way("dense", steps, layers, rounds=2, random_rounds=True),
            "dense, own positions": Way("dense", steps, layers, share_positions=False),
        }
        few: tuple[Places, ...] = ("chance", "least sure")
        for places in few:
            pause = f"pause, {places}"
            found[pause] = Way("pause", steps, layers, places)
            found[f"dense, {places}"] = Way("dense", steps, layers, places, against=pause)
        chosen: tuple[Places, ...] = ("best of four", "best half")
        for places in chosen:
            found[f"dense, {places}"] = Way("dense", steps, layers, places, against="pause, chance")
        found["dense, emitted"] = Way(
            "dense", steps, layers, "emitted", emission=1.0, against="pause, chance"
        )
    if given.regimes:
        found |= {
            "pause, sentences": Way("pause", steps, layers, "sentences"),
            "dense, sentences": Way("dense", steps, layers, "sentences", against="pause, sentences"),
            "dense, sentences, 4 rounds": Way(
                "dense", steps, layers, "sentences", rounds=4, against="pause, sentences"
            ),
        }
    return {arm: way for arm, way in found.items() if given.arms is None or arm in given.arms}


def make(given: argparse.Namespace, rows: int, seed: int, layers: int, share_positions: bool) -> DenseModel:
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
    return DenseModel(GPTNeoXForCausalLM(config), rows, DenseOptions(share_positions=share_positions))


def begin(
    given: argparse.Namespace,
    kept: Selection,
    rows: int,
    start: str,
    seed: int,
    way: Way,
    cache: dict[int, Any],
) -> DenseModel:
    """Make the model that all arms of a seed begin with; one that is trained already is trained once."""
    model = make(given, rows, seed, way.layers, way.share_positions)
    if start == "trained":
        if way.layers not in cache:
            before = DenseTraining(
                arm="plain", steps=given.before, batch=given.batch, learning_rate=given.learning_rate
            )
            train_dense(model, kept, before, seed)
            cache[way.layers] = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        model.load_state_dict(cache[way.layers])
    return model


def place(model: DenseModel, text: Text, way: Way, texts: int, seed: int) -> tuple[Selection, Ints]:
    """Choose where the dense tokens of the texts that training reads stand, and those of the held-out ones."""
    kept = text.kept
    if way.places == "every":
        return kept, every(kept.heldout, 1)
    if way.places == "sentences":
        return replace(kept, places=behind(kept.words, text.stops)), behind(kept.heldout, text.stops)
    few = kept.words.shape[1] // 4
    where: Literal["chance", "least-sure"] = "least-sure" if way.places == "least sure" else "chance"
    one = SelectOptions(proposals=1, count=few, places=where, keep="places")
    heldout = kept.heldout.astype(np.int64)
    asked = score(model, heldout, np.ones(heldout.shape, bool), one, seed, "heldout").places[:, 0]
    best = SelectOptions(proposals=4, count=few, keep="places")
    options = {
        "best of four": best,
        "emitted": best,
        "best half": SelectOptions(proposals=1, count=few, keep="texts", share=0.5),
    }.get(way.places, one)
    wanted = min(texts * (2 if way.places == "best half" else 1), len(kept.words))
    read = permute(np.arange(wanted), len(kept.words), key(seed, "order", 0))
    words = kept.words[read].astype(np.int64)
    scored = score(model, words, np.ones(words.shape, bool), options, seed)
    which, proposal = keep(scored, options, seed)
    if way.places == "best half":
        return replace(kept, words=words[which], places=scored.places[which, proposal]), asked
    places = np.zeros((len(kept.words), few), np.int64)
    places[read] = scored.places[which, proposal]
    return replace(kept, places=places), asked


def behind(words: Ints, marked: npt.NDArray[np.bool_]) -> Ints:
    """Name the columns (B, n) of words (B, L) that are marked, the last left out, with L where there are fewer."""
    length = words.shape[1]
    found = marked[words] & (np.arange(length) < length - 1)
    return np.sort(np.where(found, np.arange(length), length), axis=1)[:, : found.sum(1).max()]


def run(
    given: argparse.Namespace, text: Text, start: str, seed: int, way: Way, cache: dict[int, Any]
) -> dict[str, Any]:
    """Train one model, and score each held-out window."""
    kept = text.kept
    quiet = replace(kept, heldout=kept.heldout[:2])  # the training's own figures aren't used here
    model = begin(given, quiet, text.rows, start, seed, way, cache)
    began = time.process_time()
    placed, asked = place(model, text, way, way.steps * given.batch, seed + 1000)
    options = DenseTraining(
        arm=way.arm,
        steps=way.steps,
        batch=given.batch,
        learning_rate=given.learning_rate / (4 if start == "trained" else 1),
        rounds=way.rounds,
        random_rounds=way.random_rounds,
        ahead=way.ahead,
        emission=way.emission,
    )
    train_dense(model, replace(placed, heldout=quiet.heldout), options, seed + 1000)
    cost = time.process_time() - began
    heldout = kept.heldout.astype(np.int64)
    if way.emission:
        asked = emitted_places(model, heldout, seed, vectors=way.arm == "dense")
    nats = window_nats(model, heldout, asked, way.arm)
    tokens = 0 if way.arm == "plain" else int((asked < given.length).sum())
    return {
        "nats": nats.tolist(),
        "steps": way.steps,
        "layers": way.layers,
        "seconds": cost,
        "dense tokens a word": tokens / heldout.size,
    }


def learn(given: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Train all arms of a seed that aren't trained yet."""
    keep_heap()
    torch.set_num_threads(1)
    text = read(given, given.out / f"tokens-{seed}")
    settings = {
        name: value
        for name, value in vars(given).items()
        if name not in ("out", "start", "seeds", "regimes", "arms", "processes")
    }
    file = given.out / f"seed-{seed}.json"
    found = json.loads(file.read_text()) if file.exists() else {"settings": settings}
    if found["settings"] != settings:
        raise SystemExit(f"{file}: was begun with {found['settings']}, not {settings}: name another --out")
    cache: dict[int, Any] = {}
    for start in given.start:
        for arm, way in ways(given, start).items():
            name = f"{start}, {arm}"
            if name not in found:
                found[name] = run(given, text, start, seed, way, cache)
                with beside(file) as new:
                    new.write_text(json.dumps(found))
                nats = np.mean(found[name]["nats"]) / (given.length - 1)
                print(f"seed {seed}, {name}: {nats:.4f} nats a word", flush=True)
    return found | {"scale": math.log(2) * text.kept.bytes_per_token * (given.length - 1)}


def table(given: argparse.Namespace, found: list[dict[str, Any]]) -> str:
    """Write the table in Markdown."""
    shown = ["start", "arm", "dense tokens a word", "steps", "layers", "bits per byte", "against plain"]
    shown += ["against its pause", "processor time"]
    lines = [f"| {' | '.join(shown)} |", "|---" * len(shown) + "|"]
    for start in given.start:
        arms = ways(given, start)
        scored = {
            arm: np.array([one[f"{start}, {arm}"]["nats"] for one in found]) / found[0]["scale"]
            for arm in arms
        }
        for arm, way in arms.items():
            against = []
            for other in ("plain", way.against):
                if other not in scored or arm == other or (other != "plain" and way.arm != "dense"):
                    against.append("")
                    continue
                gap = difference(scored[arm], scored[other])
                against.append(f"{gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]")
            tokens = np.mean([one[f"{start}, {arm}"]["dense tokens a word"] for one in found])
            seconds = np.mean([one[f"{start}, {arm}"]["seconds"] for one in found])
            lines.append(
                f"| {start} | {arm} | {tokens:.2f} | {way.steps:,} | {way.layers} | {scored[arm].mean():.4f} | "
                f"{against[0]} | {against[1]} | {seconds:.0f} s |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    name_texts(parser)
    parser.add_argument("--out", type=Path, default=Path("runs/dense-language"))
    parser.add_argument("--start", nargs="+", default=["scratch", "trained"], choices=["scratch", "trained"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--before", type=int, default=900, help="Steps of the ordinary pre-training.")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=64)
    parser.add_argument("--regimes", action="store_true", help="Other ways to have dense tokens, too.")
    parser.add_argument("--arms", nargs="+", help="Only these; plain is needed for the differences.")
    parser.add_argument("--processes", type=int, default=2, help="Seeds that run side by side.")
    parser.add_argument("--windows", type=int, default=512, help="Held-out windows.")
    parser.add_argument("--vocabulary", type=int, default=1024)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(given.processes, context) as pool:
        running = {pool.submit(learn, given, seed): seed for seed in range(given.seeds)}
        found = {running[done]: done.result() for done in as_completed(running)}
    print(table(given, [found[seed] for seed in range(given.seeds)]))


if __name__ == "__main__":
    main()
