"""Dense tokens against an encoder: what does it help to read the question in both directions, or to think after it?

    python -m benchmarks.dense_encoders --task pointers ring book

A question is read, and one word answers it. All models have as many parameters, within two per cent, one layer's shape
(feed-forward parts differ a little in width to make this so), and learn from the same questions in the same order:

- causal: GPT-NeoX of one layer, 64 wide. pause and dense: the same with K tokens after the question, K being the
  question's steps less one, as in the proof; a word of the question tells the steps as well, but for the ring.
- causal, 2 layers: two layers, narrower.
- prefix-LM, 2 layers: the same, with a mask that lets all words of the question see one another. (With one layer this
  changes nothing: the last place sees all words either way.)
- prefix-LM, looped: the layer of 64, as often over all words as the question has steps. It has as much depth as dense
  tokens give, and costs more.
- T5: one layer of encoder, one of decoder, which answers at its first place.

"x compute" are more steps, as many as make a training's operations equal to those of dense (counted by torch's
FlopCounterMode, forwards and backwards, at the deepest questions). Each contender has the same tuning: the first seed
tries all rates, and the best by validation questions is taken for all seeds. The questions:

- pointers: arrows in any order, how many to follow, where to begin (as in `hornbook dense prove`).
- ring: "The ball is at four. Swap. Left. Now": where is it after one to four moves?
- book: facts that stand in no question and have to be known, as in OpenBookQA, with four choices: who is Ann's friend,
  her friend's friend, the friend of that one? Each fact is learned by itself; the chains of an eighth of the people are
  asked in the test only, and of another eighth for validation, so that nobody can know them by heart. The likeliest
  choice counts.

Printed are right answers by the number of steps, with 95 % intervals over seeds and questions for the most steps.
"""

import argparse
import copy
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode
from transformers import GPTNeoXForCausalLM, T5Config, T5ForConditionalGeneration

from benchmarks.dense_worlds import Ring
from benchmarks.ladder_questions import RingQuestions
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.prove.cohort import make_config
from hornbook.dense_tokens.prove.learning import draw_depths, rate_share
from hornbook.dense_tokens.prove.statistics import Interval, accuracy, difference
from hornbook.dense_tokens.prove.tasks import TASKS
from hornbook.rng import CounterRNG, key


@dataclass(frozen=True)
class Asked:
    """Questions of one number of steps: words (B, L), the right answers (B,), and choices (B, C) if there are any."""

    words: np.ndarray
    answers: np.ndarray
    choices: np.ndarray | None = None


class QuestionKind:
    """A kind of question; the answers' ids come first, and the dense token's is the last."""

    name: str
    depth: int
    """The most steps."""
    steps: int
    """Training steps."""
    answers: int
    size: int

    @property
    def dense_id(self) -> int:
        """The dense token's id; T5 begins to answer with it."""
        return self.size - 1

    def draw(self, rng: CounterRNG, depth: int, part: str) -> Asked:
        """Draw a question for each row of `rng`; `part` is train, validation or test."""
        raise NotImplementedError


class Arrows(QuestionKind):
    """The proof's pointers."""

    name, depth, steps = "pointers", 6, 1500

    def __init__(self) -> None:
        self.task = TASKS["pointers"]
        self.answers, self.size = self.task.answers, self.task.size

    def draw(self, rng: CounterRNG, depth: int, part: str) -> Asked:
        """Draw arrows, their number and a first point."""
        found = self.task.draw(rng, depth)
        return Asked(found.words, found.states[:, -1])


class Friends(QuestionKind):
    """Questions on a ring."""

    name, depth, steps = "ring", 4, 1500

    def __init__(self) -> None:
        self.words = [*Ring.places, *Ring.things, *(word for word, _ in Ring.moves), "The", "is", "at", "Now"]
        self.answers, self.size = len(Ring.places), len(self.words) + 1

    def draw(self, rng: CounterRNG, depth: int, part: str) -> Asked:
        """Draw a place, a thing and moves."""
        words, states, _ = RingQuestions().ask(rng, depth)
        own = np.array([self.words.index(word) for word in RingQuestions.words])
        return Asked(own[words], states[:, -1])


class Book(QuestionKind):
    """Questions with four choices on facts that have to be known."""

    name, depth, steps = "book", 3, 4000
    people = 96

    def __init__(self) -> None:
        self.answers, self.size = self.people, self.people + self.depth + 1
        order = CounterRNG(0, "book", np.arange(1)).uniform("facts", self.people).argsort(1)[0]
        self.friend = np.empty_like(order)
        self.friend[order] = np.roll(order, -1)
        """The friend of each: all of them form one ring."""

    def draw(self, rng: CounterRNG, depth: int, part: str) -> Asked:
        """Draw whose friend, or friend's friend, is asked for, and four choices."""
        belongs = np.array(["validation", "train", "train", "train", "test", "train", "train", "train"])
        allowed = np.flatnonzero((belongs[np.arange(self.people) % 8] == part) | (depth == 1))
        asked = allowed[rng.integers("asked", 1, len(allowed))]
        right = asked
        for _ in range(depth):
            right = self.friend[right]
        order = rng.uniform("choices", self.people)
        np.put_along_axis(order, right, -1, 1)  # the right one is always among the first four
        four = order.argsort(1)[:, :4]
        choices = np.take_along_axis(four, rng.uniform("order", 4).argsort(1), 1)
        relation = np.full_like(asked, self.people + depth - 1)
        return Asked(np.concatenate([choices, relation, asked], 1), right[:, 0], choices)


KINDS = {one.name: one for one in (Arrows, Friends, Book)}


@dataclass(frozen=True)
class Contender:
    """A kind of model."""

    kind: str
    layers: int = 1
    width: int = 64
    same_compute: bool = False


CONTENDERS = {
    "dense": Contender("dense"),
    "pause": Contender("pause"),
    "causal": Contender("causal"),
    "causal, x compute": Contender("causal", same_compute=True),
    "causal, 2 layers, x compute": Contender("causal", 2, 48, same_compute=True),
    "prefix-LM, 2 layers": Contender("prefix", 2, 48),
    "prefix-LM, 2 layers, x compute": Contender("prefix", 2, 48, same_compute=True),
    "prefix-LM, looped": Contender("looped"),
    "T5": Contender("t5", width=40),
    "T5, x compute": Contender("t5", width=40, same_compute=True),
}


def neox(size: int, width: int, inner: int, layers: int) -> GPTNeoXForCausalLM:
    """Make a GPT-NeoX as the proof's, of any width."""
    return GPTNeoXForCausalLM(make_config(size, layers, width, inner))


def t5(size: int, width: int, inner: int, layers: int) -> T5ForConditionalGeneration:
    """Make a T5 whose encoder and decoder have `layers` each."""
    config = T5Config(
        vocab_size=size,
        d_model=width,
        d_kv=width // 4,
        num_heads=4,
        d_ff=inner,
        num_layers=layers,
        num_decoder_layers=layers,
        dropout_rate=0.0,
        tie_word_embeddings=True,
        decoder_start_token_id=size - 1,
        pad_token_id=None,
        eos_token_id=None,
        attn_implementation="eager",
    )
    return T5ForConditionalGeneration(config)


def count(model: nn.Module) -> int:
    """Count parameters."""
    return sum(one.numel() for one in model.parameters())


class Answerer(nn.Module):
    """Reads questions in the way of a contender, and answers them."""

    model: Any

    def __init__(self, subject: QuestionKind, contender: Contender, seed: int) -> None:
        super().__init__()
        self.subject, self.kind = subject, contender.kind
        make = t5 if contender.kind == "t5" else neox
        wanted = count(neox(subject.size, 64, 256, 1))
        least, wider = (
            count(make(subject.size, contender.width, inner, contender.layers)) for inner in (8, 9)
        )
        inner = 8 + round((wanted - least) / (wider - least))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key(seed, "weights"))
            model = make(subject.size, contender.width, inner, contender.layers)
        self.model = DenseModel(model, subject.dense_id) if contender.kind in ("dense", "pause") else model

    def forward(self, words: Tensor, depth: int) -> Tensor:
        """Return the logits of the answers (B, A) for the words (B, L) of questions of `depth` steps."""
        return self.all_logits(words, depth)[:, : self.subject.answers]

    def all_logits(self, words: Tensor, depth: int) -> Tensor:
        """Return the logits of every id (B, V)."""
        if self.kind == "t5":
            start = torch.full((len(words), 1), self.subject.dense_id)
            # Without a mask, all words are read: no id is padding here.
            mask = torch.ones_like(words)
            return self.model(input_ids=words, attention_mask=mask, decoder_input_ids=start).logits[:, -1]
        if self.kind in ("dense", "pause"):
            tail = torch.full((len(words), depth - 1), self.subject.dense_id)
            ids = torch.cat([words, tail], 1)
            filled = self.model(ids, rounds=None if self.kind == "dense" else 0)
            return self.model.logits(filled.hidden[:, -1])
        if self.kind == "looped":
            base = self.model.base_model
            base.layers = nn.ModuleList([base.layers[0]] * depth)
        length = words.shape[1]
        mask = torch.zeros(1, 1, length, length)
        if self.kind == "causal":
            mask = mask.masked_fill(torch.ones(length, length).triu(1).bool(), torch.finfo(mask.dtype).min)
        return self.model(words, attention_mask=mask, use_cache=False, logits_to_keep=1).logits[:, -1]


def operations(model: Answerer, batch: int = 32) -> float:
    """Count the operations of a training step on the deepest questions."""
    depth = model.subject.depth
    asked = model.subject.draw(CounterRNG(0, "cost", np.arange(batch)), depth, "train")
    with FlopCounterMode(display=False) as counter:
        cross_entropy(model(torch.from_numpy(asked.words), depth), torch.from_numpy(asked.answers)).backward()
    model.zero_grad(set_to_none=True)
    return float(counter.get_total_flops())


def learn(model: Answerer, seed: int, steps: int, rate: float, batch: int = 32) -> float:
    """Train on questions of growing depth, as in the proof; returns the processor's seconds."""
    subject = model.subject
    growing = copy.copy(TASKS["pointers"])
    growing.depth, growing.steps = subject.depth, steps
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=0.0, betas=(0.9, 0.999), weight_decay=0.01, fused=True
    )
    began = time.process_time()
    for step, depth in enumerate(draw_depths(growing, steps).tolist()):
        asked = subject.draw(CounterRNG(seed, step, np.arange(batch)), depth, "train")
        loss = cross_entropy(model(torch.from_numpy(asked.words), depth), torch.from_numpy(asked.answers))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate * rate_share(step, steps, 50)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return time.process_time() - began


@torch.no_grad()
def judge(model: Answerer, part: str, depth: int, questions: int) -> np.ndarray:
    """Mark the questions of a depth that are answered rightly: shape (questions,)."""
    rng = CounterRNG(0, f"{part} {depth}", np.arange(questions))
    asked = model.subject.draw(rng, depth, part)
    logits = model(torch.from_numpy(asked.words), depth).numpy()
    if asked.choices is None:
        return np.asarray(logits.argmax(1) == asked.answers)
    best = np.take_along_axis(logits, asked.choices, 1).argmax(1)
    return np.asarray(asked.choices[np.arange(questions), best] == asked.answers)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--arm", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rate", nargs="+", type=float, default=[1e-3, 2e-3, 4e-3])
    parser.add_argument("--steps", type=int, help="By default each task's own.")
    parser.add_argument("--questions", type=int, default=512, help="test questions of each number of steps")
    parser.add_argument("--out", type=Path, default=Path("runs/dense-encoders.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    kept = {}
    for name in given.task:
        kept[name] = compare(KINDS[name](), given)
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(kept))


def compare(subject: QuestionKind, given: argparse.Namespace) -> dict[str, Any]:
    """Train and judge all contenders on one kind of question, and print the table."""
    depths = range(1, subject.depth + 1)
    print(f"\n{subject.name}: {', '.join(str(depth) for depth in depths)} steps\n")
    print(
        "| arm | parameters | rate | training steps | operations | right by steps | right, most steps | worst seed "
        "| dense minus this | time |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    found: dict[str, Any] = {}
    dense: np.ndarray | None = None
    usual = operations(Answerer(subject, CONTENDERS["dense"], 0))
    for name in ["dense", *(one for one in given.arm if one != "dense")]:
        contender = CONTENDERS[name]
        once = operations(Answerer(subject, contender, 0))
        own = given.steps or subject.steps
        steps = round(own * usual / once) if contender.same_compute else own
        tried: dict[float, tuple[float, Answerer, float]] = {}
        for rate in given.rate:
            model = Answerer(subject, contender, given.seeds[0])
            seconds = learn(model, given.seeds[0], steps, rate)
            tried[rate] = float(judge(model, "validation", subject.depth, 512).mean()), model, seconds
        rate = max(tried, key=lambda one: tried[one][0])
        models, seconds = [tried[rate][1]], tried[rate][2]
        for seed in given.seeds[1:]:
            models.append(Answerer(subject, contender, seed))
            seconds += learn(models[-1], seed, steps, rate)
        right = {
            depth: np.stack([judge(one, "test", depth, given.questions) for one in models])
            for depth in depths
        }
        deepest = right[subject.depth]
        dense = deepest if dense is None else dense
        by_steps = ", ".join(f"{100 * right[depth].mean():.0f}" for depth in depths)
        against = "" if name == "dense" else _per_cent(difference(dense, deepest))
        print(
            f"| {name} | {count(models[0]):,} | {rate:g} | {steps:,} | {once * steps / usual / own:.2f} | "
            f"{by_steps} | {_per_cent(accuracy(deepest))} | {100 * deepest.mean(1).min():.1f} | {against} | "
            f"{seconds / len(models):.0f} s |",
            flush=True,
        )
        found[name] = {
            "rate": rate,
            "steps": steps,
            "right": {depth: one.mean(1).tolist() for depth, one in right.items()},
        }
    return found


def _per_cent(one: Interval) -> str:
    return f"{100 * one.mean:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}]"


if __name__ == "__main__":
    main()
