"""A language in which dense tokens win on every seed, and how the gain shrinks on the way to ordinary text.

    python -m benchmarks.dense_worlds --world calls ring people code
    python -m benchmarks.dense_worlds --world calls --filler 0.5 0.8

Short texts tell how something changes, sentence by sentence, and from time to time how it stands:

- calls: "The ball is at 4. Swap. Left. 3." Moves of a ring of five friends; now and then one calls where it is.
- ring: "The ball is at four. Swap. Left. Now three." The same, and a word says that it is told, as in ring_stories.py.
- people: "Ann has the ball. ... Ann and Bob swap. Now Bob has the ball." Four people who swap four things.
- code: "a = 2 ; b = 4 ; c = 0 ; a = b + 0 ; c = a + 1 ; print c 0": three variables, numbers modulo 5.

`--filler` is the share of sentences that change nothing ("The sun is warm."). Every word counts: the figure is bits per
byte of whole texts, most of which is chance that no model can know. What can be known are the told words, each the
result of one to eight changes. A dense token stands after each sentence that may change something. All models are
GPT-NeoX of one layer, 64 wide, and learn from the same texts in the same order; the number of changes grows with the
steps, for all of them:

- dense: the vectors are filled one by one. pause: the same places without vectors. plain: the words alone.
- plain, 2 layers: costs more to use than dense, which computes fewer than twice as many places.
- plain, 3 layers: two more layers. plain, 4 x steps: four times the training.

Printed are bits per byte, each seed's, and differences to dense, paired, with 95 % intervals over seeds and texts; then
how often the told word is right, of those that could be told, by the number of changes.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from hornbook.dense_tokens.layout import Layout
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.prove.arms import Arm
from hornbook.dense_tokens.prove.cohort import Cohort
from hornbook.dense_tokens.prove.learning import clip_each, rate_share
from hornbook.dense_tokens.prove.statistics import difference
from hornbook.rng import CounterRNG

MOST = 8
"""The most changes before a word is told."""
TOLD = 2
"""How often a text tells how things stand."""
FILLERS = (
    "The sun is warm.",
    "Birds sing.",
    "It is late.",
    "A dog barks.",
    "The wind blows.",
    "Leaves fall.",
)


@dataclass(frozen=True)
class Texts:
    """Texts of one layout: words (B, L), the columns after which dense tokens stand, those of the told words."""

    words: np.ndarray
    places: tuple[int, ...]
    told: tuple[int, ...]


class World:
    """A kind of text: its words, its beginning, its changes, and how it tells."""

    name: str
    changes: int
    """The number of different changes."""
    told: tuple[str, ...]
    """The words that can be told."""

    def begin(self, rng: CounterRNG, rows: int) -> tuple[list[list[str]], Any]:
        """Give the first words of each text, and the states."""
        raise NotImplementedError

    def change(self, state: Any, which: int) -> tuple[list[str], Any]:
        """Give a change's words, always as many, and the state after it."""
        raise NotImplementedError

    def tell(self, state: Any, draw: int) -> list[str]:
        """Tell how things stand; only the last word can be known."""
        raise NotImplementedError

    @cached_property
    def vocabulary(self) -> list[str]:
        """All words, found by drawing many texts."""
        found: set[str] = set()
        for row in range(400):
            (words,), (state,) = self.begin(CounterRNG(1, "words", np.array([row])), 1)
            found |= set(words)
            for which in range(self.changes):
                more, state = self.change(state, which)
                found |= {*more, *self.tell(state, row + which)}
        filler = {self.mark(n, place) for n in range(len(FILLERS)) for place in range(self.long)}
        return sorted(found | filler)

    @cached_property
    def long(self) -> int:
        """The number of words of a change; a filler has as many."""
        _, (state,) = self.begin(CounterRNG(1, "words", np.array([0])), 1)
        return len(self.change(state, 0)[0])

    def mark(self, filler: int, place: int) -> str:
        """Give a word of a filler, which is cut into as many words as a change has."""
        words = FILLERS[filler].split(" ", self.long - 1)
        return words[place] if place < len(words) else ","

    def draw(self, rng: CounterRNG, rows: int, changes: int, filler: float) -> Texts:
        """Draw texts, with so many changes before each told word."""
        ids = {word: number for number, word in enumerate(self.vocabulary)}
        beginnings, states = self.begin(rng, rows)
        texts = [list(words) for words in beginnings]
        which = rng.integers("changes", TOLD * changes, self.changes)
        fillers = rng.integers("fillers", TOLD * changes, len(FILLERS))
        is_filler = rng.uniform("filler", TOLD * changes) < filler
        draws = rng.integers("told", TOLD, 2**20)
        places: list[int] = []
        told: list[int] = []
        for part in range(TOLD):
            for number in range(part * changes, (part + 1) * changes):
                for row, text in enumerate(texts):
                    if is_filler[row, number]:
                        text += [self.mark(int(fillers[row, number]), place) for place in range(self.long)]
                    else:
                        more, states[row] = self.change(states[row], int(which[row, number]))
                        text += more
                places.append(len(texts[0]) - 1)
            for row, text in enumerate(texts):
                text += self.tell(states[row], int(draws[row, part]))
            told.append(len(texts[0]) - 1)
        return Texts(np.array([[ids[word] for word in text] for text in texts]), tuple(places), tuple(told))

    def size(self, texts: Texts) -> np.ndarray:
        """Count each text's bytes, but those of its first word, which isn't predicted."""
        lengths = np.array([len(word.encode()) + 1 for word in self.vocabulary])
        return lengths[texts.words[:, 1:]].sum(1)


class Ring(World):
    """Five friends in a ring."""

    name, changes = "ring", 3
    places = told = ("one.", "two.", "three.", "four.", "five.")
    things = ("ball", "kite", "doll", "cake", "hat", "cup", "book", "drum")
    moves = (("Swap.", (1, 0, 2, 3, 4)), ("Left.", (4, 0, 1, 2, 3)), ("Right.", (1, 2, 3, 4, 0)))

    def begin(self, rng: CounterRNG, rows: int) -> tuple[list[list[str]], Any]:
        """Say what is where."""
        places, things = rng.integers("place", 1, 5)[:, 0], rng.integers("thing", 1, len(self.things))[:, 0]
        words = [
            ["The", self.things[t], "is", "at", self.places[p]] for p, t in zip(places, things, strict=True)
        ]
        return words, places.tolist()

    def change(self, state: Any, which: int) -> tuple[list[str], Any]:
        """Move all of them, or two."""
        word, to = self.moves[which]
        return [word], to[state]

    def tell(self, state: Any, draw: int) -> list[str]:
        """Tell where the thing is."""
        return ["Now", self.places[state]]


class Calls(Ring):
    """Five friends in a ring, who call where it is."""

    name = "calls"
    places = told = ("1.", "2.", "3.", "4.", "5.")

    def tell(self, state: Any, draw: int) -> list[str]:
        """Tell where the thing is."""
        return [self.places[state]]


class People(World):
    """Four people who swap things."""

    name, changes = "people", 6
    people = ("Ann", "Bob", "Cid", "Dot")
    things = told = ("ball.", "hat.", "cup.", "kite.")
    pairs = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))

    def begin(self, rng: CounterRNG, rows: int) -> tuple[list[list[str]], Any]:
        """Say who has what."""
        orders = rng.uniform("things", 4).argsort(1).tolist()
        words = [
            [w for who, what in enumerate(one) for w in (self.people[who], "has", "the", self.things[what])]
            for one in orders
        ]
        return words, orders

    def change(self, state: Any, which: int) -> tuple[list[str], Any]:
        """Let two people swap."""
        one, other = self.pairs[which]
        after = list(state)
        after[one], after[other] = after[other], after[one]
        return [self.people[one], "and", self.people[other], "swap."], after

    def tell(self, state: Any, draw: int) -> list[str]:
        """Tell what one of them has."""
        who = draw % 4
        return ["Now", self.people[who], "has", "the", self.things[state[who]]]


class Code(World):
    """Three variables."""

    name, changes = "code", 12
    names = ("a", "b", "c")
    told = ("0", "1", "2", "3", "4")

    def begin(self, rng: CounterRNG, rows: int) -> tuple[list[list[str]], Any]:
        """Set the variables."""
        values = rng.integers("values", 3, 5).tolist()
        words = [
            [w for n, v in zip(self.names, one, strict=True) for w in (n, "=", f"{v}", ";")] for one in values
        ]
        return words, values

    def change(self, state: Any, which: int) -> tuple[list[str], Any]:
        """Copy a variable, or one more than it."""
        to, rest = divmod(which, 4)
        source = [n for n in range(3) if n != to][rest % 2]
        plus = rest // 2
        after = list(state)
        after[to] = (state[source] + plus) % 5
        return [self.names[to], "=", self.names[source], "+", f"{plus}", ";"], after

    def tell(self, state: Any, draw: int) -> list[str]:
        """Print a variable."""
        which = draw % 3
        return ["print", self.names[which], f"{state[which]}"]


WORLDS: dict[str, Callable[[], World]] = {one.name: one for one in (Calls, Ring, People, Code)}


@dataclass(frozen=True)
class Subject:
    """What a cohort needs to know of a text: it takes the place of a task."""

    world: World
    answers: int
    size: int
    dense_id: int


class Teller(nn.Module):
    """Predicts each word of a text from the place before it."""

    def __init__(self, dense: DenseModel) -> None:
        super().__init__()
        self.dense = dense

    def forward(self, ids: Tensor, layout: Layout, own: bool, before: Tensor) -> Tensor:
        """Return the logits (B, L - 1, V) at the places `before` each word; `own` fills dense tokens."""
        hidden = self.dense(ids, layout, None if own else 0).hidden
        return self.dense.logits(hidden[:, before])[..., : self.dense.dense_id]


class Tellers(Cohort):
    """Models that read texts, one for each seed."""

    task: Subject  # type: ignore[assignment]

    def nats(self, drawn: list[Texts]) -> tuple[Tensor, Tensor]:
        """Compute -ln p of each word but the first (S, B, L - 1), and whether it is the likeliest of those told.

        `drawn` are each seed's texts, or one for all.
        """
        words = torch.from_numpy(np.stack([one.words for one in drawn]))
        places, told = drawn[0].places, words.shape[-1]
        ids, before = words, torch.arange(told - 1)
        if self.arm.vectors != "none":
            at = [place + 1 for place in places]
            ids = torch.from_numpy(np.insert(words.numpy(), at, self.task.dense_id, axis=-1))
            before = torch.tensor([n - 1 + sum(place < n for place in places) for n in range(1, told)])
        layout = self.layout(ids[0])
        teller = Teller(self.reader.dense)

        def one(parameters: dict[str, Tensor], ids: Tensor) -> Tensor:
            return functional_call(teller, parameters, (ids, layout, self.arm.vectors == "own", before))

        same = len(drawn) == 1
        logits = torch.vmap(one, in_dims=(0, None if same else 0))(self.parameters, ids[0] if same else ids)
        wanted = words[..., 1:].expand(len(self.seeds), -1, -1)
        nats = cross_entropy(logits.flatten(0, -2), wanted.flatten(), reduction="none").view(wanted.shape)
        others = torch.ones(logits.shape[-1], dtype=torch.bool)
        others[[self.task.world.vocabulary.index(word) for word in self.task.world.told]] = False
        return nats, logits.masked_fill(others, -math.inf).argmax(-1) == wanted


@dataclass(frozen=True)
class Contender:
    """An arm, and its training."""

    vectors: Any
    layers: int = 1
    times: int = 1


CONTENDERS = {
    "dense": Contender("own"),
    "pause": Contender("zero"),
    "plain": Contender("none"),
    "plain, 2 layers": Contender("none", 2),
    "plain, 3 layers": Contender("none", 3),
    "plain, 4 x steps": Contender("none", 1, 4),
}


def learn(models: Tellers, world: World, steps: int, filler: float, rate: float, batch: int) -> float:
    """Train; the number of changes grows with the square of the steps' share, as in the proof. Returns the seconds."""
    tensors = list(models.parameters.values())
    optimizer = torch.optim.AdamW(tensors, lr=0.0, betas=(0.9, 0.999), weight_decay=0.01, fused=True)
    began = time.process_time()
    for step in range(steps):
        grown = min(step / (0.6 * steps), 1) ** 2
        deepest = min(2 + int(grown * (MOST - 1)), MOST)
        uniform = CounterRNG(0, "changes", np.array([step])).uniform("drawn", 2)[0]
        changes = deepest if uniform[0] < 0.5 else 1 + int(uniform[1] * deepest)
        drawn = [
            world.draw(CounterRNG(seed, step, np.arange(batch)), batch, changes, filler)
            for seed in models.seeds
        ]
        loss = models.nats(drawn)[0].mean() * len(models.seeds)
        loss.backward()
        clip_each(tensors, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate * rate_share(step, steps, 50)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return time.process_time() - began


@torch.no_grad()
def judge(models: Tellers, world: World, filler: float, texts: int) -> tuple[np.ndarray, np.ndarray]:
    """Score held-out texts of every number of changes: bits per byte (S, texts), and told words right (S, MOST)."""
    bits, right = [], []
    for changes in range(1, MOST + 1):
        drawn = world.draw(CounterRNG(0, f"heldout {changes}", np.arange(texts)), texts, changes, filler)
        nats, best = models.nats([drawn])
        bits.append(nats.sum(-1).numpy() / math.log(2) / world.size(drawn))
        right.append(best[..., [column - 1 for column in drawn.told]].double().mean((1, 2)).numpy())
    return np.concatenate(bits, 1), np.stack(right, 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", nargs="+", default=list(WORLDS), choices=list(WORLDS))
    parser.add_argument("--arm", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS))
    parser.add_argument("--filler", nargs="+", type=float, default=[0.0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--batch", type=int, default=64, help="texts in a step")
    parser.add_argument("--texts", type=int, default=64, help="held-out texts of each number of changes")
    parser.add_argument("--out", type=Path, default=Path("runs/dense-worlds.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    kept = {}
    for name in given.world:
        for filler in given.filler:
            kept[f"{name}, filler {filler:g}"] = compare(WORLDS[name](), filler, given)
            given.out.parent.mkdir(parents=True, exist_ok=True)
            given.out.write_text(json.dumps(kept))


def compare(world: World, filler: float, given: argparse.Namespace) -> dict[str, Any]:
    """Train and judge all contenders on a world, and print the table."""
    size = len(world.vocabulary)
    subject = Subject(world, size, size + 1, size)
    example = world.draw(CounterRNG(0, "heldout 2", np.arange(1)), 1, 2, filler)
    print(f"\n{world.name}, filler {filler:g}: {' '.join(world.vocabulary[n] for n in example.words[0])}\n")
    print("| arm | bits per byte | seed by seed | dense minus this | seeds ahead | told words right | time |")
    print("|---|---|---|---|---|---|---|", flush=True)
    found: dict[str, Any] = {}
    dense: np.ndarray | None = None
    for name in ["dense", *(one for one in given.arm if one != "dense")]:
        contender = CONTENDERS[name]
        arm = replace(Arm(name, name, "", "none"), vectors=contender.vectors, layers=contender.layers)
        models = Tellers(subject, arm, tuple(given.seeds))  # type: ignore[arg-type]
        seconds = learn(models, world, given.steps * contender.times, filler, given.rate, given.batch)
        bits, right = judge(models, world, filler, given.texts)
        dense = bits if dense is None else dense
        gap = difference(dense, bits)
        ahead = int((dense.mean(1) < bits.mean(1)).sum())
        by_seed = ", ".join(f"{one:.4f}" for one in bits.mean(1))
        by_changes = ", ".join(f"{100 * one:.0f}" for one in right.mean(0))
        against = f"{gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]" if name != "dense" else ""
        counted = f"{ahead} of {len(bits)}" if name != "dense" else ""
        print(
            f"| {name} | {bits.mean():.4f} | {by_seed} | {against} | {counted} | {by_changes} | {seconds:.0f} s |",
            flush=True,
        )
        found[name] = {"bits": bits.mean(1).tolist(), "right": right.tolist(), "seconds": seconds}
    return found


if __name__ == "__main__":
    main()
