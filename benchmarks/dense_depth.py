"""How deep can dense tokens be trained, and on which seeds? The tasks of `hornbook dense prove`, deeper.

    python -m benchmarks.dense_depth --task s3 s5 pointers --depth 16 32
    python -m benchmarks.dense_depth --task s3 --depth 8 --seeds 5 6 7 8 9 10 11 12 13 14
    python -m benchmarks.dense_depth --depth 16 --curriculum none

Models of one layer learn from final answers alone, as in the proof; the most training steps grow with the depth, and
`--steps` multiplies them. A cycle of pointers has two points more than arrows are followed, as in the proof. The
proof's recipe was found on seeds 0 to 4: others say how much of it is theirs. Printed are right answers to unseen
questions, per cent: the mean with its interval over seeds and questions, and the worst seed, at the deepest trained
depth; then the means beyond it.
"""

import argparse
import copy

import torch

from hornbook.dense_tokens.prove.arms import ARMS
from hornbook.dense_tokens.prove.learning import ProofSettings
from hornbook.dense_tokens.prove.statistics import accuracy
from hornbook.dense_tokens.prove.tasks import TASKS, Pointers, Task
from hornbook.dense_tokens.prove.trial import run_trial


def deepen(name: str, depth: int, longer: float) -> Task:
    """Make a task of the proof deeper, with as many more steps."""
    known = TASKS[name]
    steps = round(known.steps * depth / known.depth * longer)
    if name == "pointers":
        return Pointers(depth + 2, depth, steps)
    task = copy.copy(known)
    task.depth, task.steps = depth, steps
    return task


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", nargs="+", default=["s3", "s5"], choices=list(TASKS))
    parser.add_argument("--depth", nargs="+", type=int, default=[16])
    parser.add_argument("--arm", nargs="+", default=["dense"], choices=["dense", "detached", "pause"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--curriculum", nargs="+", default=["square"], choices=["square", "linear", "none"])
    parser.add_argument("--steps", type=float, default=1.0, help="how many times as many steps at most")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| task | depth | arm | curriculum | steps | right | worst seed | beyond | processor time |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for depth in given.depth:
        for name in given.task:
            task = deepen(name, depth, given.steps)
            for curriculum in given.curriculum:
                for arm in given.arm:
                    trial = run_trial(
                        task, ARMS[arm], tuple(given.seeds), ProofSettings(curriculum=curriculum)
                    )
                    found = accuracy(trial.right[depth])
                    beyond = ", ".join(
                        f"{deeper}: {100 * one.mean():.0f}" for deeper, one in trial.beyond.items()
                    )
                    print(
                        f"| {task.title} | {depth} | {arm} | {curriculum} | {trial.course.steps:,} of {task.steps:,} | "
                        f"{100 * found.mean:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}] | "
                        f"{100 * trial.right[depth].mean(1).min():.1f} | {beyond} | {trial.seconds:.0f} s |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
