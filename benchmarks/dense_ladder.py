"""Does the gain by dense tokens grow with the steps that a question in words takes? If not, the claim is refused.

    python -m benchmarks.dense_ladder --kind ring boxes apples --counts 1 2 4 8

Models learn questions of one to four steps by their answers alone; ladder_questions.py has them. After the last word
stand K dense tokens, K pause tokens or nothing, the same K for all questions, so that their number tells nothing. All
models are GPT-NeoX of one layer, 64 wide, with the settings of `hornbook dense prove`: the same questions in the same
order for every arm, and the same steps, which nothing ends early. They are asked questions that no training asks.

Printed are right answers by the number of steps, with 95 % intervals over seeds and questions; then what dense tokens
gain over plain and over pause; then a verdict for each K. Its rule (`verdict`) stood before any figure: the gain grows
with depth only if dense minus the better of plain and pause

- is above 0 at four steps, by its 95 % interval,
- is greater at four steps than at one, by the interval of the difference, paired over seeds,
- and is at most 2 points, up or down, at one step: there dense tokens have nothing to do.
"""

import argparse
import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.ladder_questions import KINDS, STEPS, Ladder
from hornbook.dense_tokens.prove.arms import ARMS
from hornbook.dense_tokens.prove.cohort import Cohort
from hornbook.dense_tokens.prove.learning import ProofSettings, answers_right, train
from hornbook.dense_tokens.prove.statistics import Bools, Interval, accuracy, difference

ALL_STEPS = range(1, STEPS + 1)
HEADS = ["1 step", *(f"{steps} steps" for steps in range(2, STEPS + 1))]
NEAR = 0.02
"""The most that dense tokens may be ahead or behind at one step."""
FEWEST_SEEDS = 3

Right = dict[int, Bools]
"""Which answers are right, by the number of steps, shape (seeds, questions)."""


def verdict(dense: Right, plain: Right, pause: Right) -> str:
    """Judge by the rule above; what refuses it is named, with its figure."""
    if (seeds := len(dense[1])) < FEWEST_SEEDS:
        return f"refused: there are {seeds} seeds, and the rule takes {FEWEST_SEEDS}"
    gains = {}
    for steps in (1, STEPS):
        name, best = better(plain, pause, steps)
        gains[steps] = name, difference(dense[steps], best[steps]), by_seed(dense, best, steps)
    over_one, one, one_by_seed = gains[1]
    over_four, four, four_by_seed = gains[STEPS]
    growth = accuracy((four_by_seed - one_by_seed)[:, None])
    refused = []
    if four.low <= 0:
        refused.append(f"at {STEPS} steps the gain over {over_four} is {points(four)} points")
    if growth.low <= 0:
        refused.append(f"from one step to {STEPS} the gain grows by {points(growth)} points")
    if abs(one.mean) > NEAR:
        refused.append(
            f"at one step the gain over {over_one} is {points(one)} points, and {100 * NEAR:g} are allowed"
        )
    if refused:
        return f"refused: {'; '.join(refused)}"
    return (
        f"the gain grows with depth: {points(four)} points over {over_four} at {STEPS} steps, {points(one)} over "
        f"{over_one} at one, {points(growth)} more"
    )


def better(plain: Right, pause: Right, steps: int) -> tuple[str, Right]:
    """Choose the better of the two at a number of steps, by its mean."""
    return ("plain", plain) if plain[steps].mean() >= pause[steps].mean() else ("pause", pause)


def by_seed(dense: Right, other: Right, steps: int) -> np.ndarray:
    """Compute each seed's gain: shape (S,)."""
    return dense[steps].mean(1) - other[steps].mean(1)


def points(share: Interval) -> str:
    """Write a difference of shares in points, with its interval."""
    return f"{100 * share.mean:+.1f} [{100 * share.low:+.1f}, {100 * share.high:+.1f}]"


def learn(
    kind: type[Ladder], arm: str, count: int, seeds: tuple[int, ...], settings: ProofSettings, most: int
) -> tuple[Right, float]:
    """Train the models of an arm, and ask them the test's questions; also gives the seconds of processor time."""
    began, task = time.process_time(), kind(count)
    models = Cohort(task, ARMS[arm], seeds)
    train(models, settings)
    right = {steps: answers_right(models, task.test(steps, most)) for steps in ALL_STEPS}
    return right, time.process_time() - began


def climb(kind: type[Ladder], counts: list[int], given: argparse.Namespace) -> dict[str, Any]:
    """Train and ask all arms of a kind, and print its tables and verdicts."""
    settings = ProofSettings(
        steps=given.steps or kind.steps,
        learning_rate=given.rate,
        enough=2.0,  # no share is: all arms take all steps
        look_every=10**6,
    )
    task = kind()
    asked = {steps: task.test(steps, given.questions) for steps in ALL_STEPS}
    example = asked[STEPS]
    words = " ".join(task.write(token) for token in example.words[0])
    print(f"\n{kind.title}: {words} -> {task.write(example.states[0, -1])}")
    print(
        "Test questions of one to four steps: "
        + ", ".join(f"{len(one.words)}" for one in asked.values())
        + f"; {settings.steps:,} training steps\n"
    )
    print(row(["arm", *HEADS, "time"]))
    print(row(["---"] * (STEPS + 2)), flush=True)
    right: dict[str, Right] = {}
    kept: dict[str, Any] = {"arms": {}, "verdicts": {}}
    for arm, count in [("plain", 0), *((arm, k) for k in counts for arm in ("pause", "dense"))]:
        name = f"{arm} {count}" if count else arm
        right[name], seconds = learn(kind, arm, count, tuple(given.seeds), settings, given.questions)
        found = {steps: accuracy(one) for steps, one in right[name].items()}
        shares = [
            f"{100 * one.mean:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}]" for one in found.values()
        ]
        print(row([name, *shares, f"{seconds:.0f} s"]), flush=True)
        kept["arms"][name] = {
            "right": {steps: asdict(one) for steps, one in found.items()},
            "by seed": {steps: one.mean(1).tolist() for steps, one in right[name].items()},
            "seconds": seconds,
        }
    print(f"\n{row(['dense minus', *HEADS])}\n{row(['---'] * (STEPS + 1))}")
    for count in counts:
        for other in ("plain", f"pause {count}"):
            gains = [points(difference(right[f"dense {count}"][one], right[other][one])) for one in ALL_STEPS]
            print(row([f"dense {count} - {other}", *gains]))
    print()
    for count in counts:
        said = verdict(right[f"dense {count}"], right["plain"], right[f"pause {count}"])
        kept["verdicts"][count] = said
        print(f"{kind.title}, K = {count}: {said}", flush=True)
    return kept


def row(cells: Iterable[str]) -> str:
    """Write a table's row."""
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--counts", nargs="+", type=int, default=[1, 2, 4, 8], help="dense tokens, K")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, help="training steps; by default each kind's own")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument(
        "--questions", type=int, default=512, help="test questions of each number of steps, at most"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/dense-ladder.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    kept = {}
    for name in given.kind:
        kept[name] = climb(KINDS[name], given.counts, given)
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
