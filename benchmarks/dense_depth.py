"""How deep can dense tokens be trained, and on which seeds? The tasks of `hornbook dense prove`, deeper.

    python benchmarks/dense_depth.py --task s3 s5 --depth 16 32
    python benchmarks/dense_depth.py --depth 8 --seeds 5 6 7 8 9 --arm dense

Models of one layer learn from final answers alone, as in the proof; training steps grow with the depth. The proof's
recipe was found on seeds 0 to 4: others say how much of it is theirs. Printed are
right answers to unseen questions, per cent: the mean and the worst seed, at the deepest trained depth and beyond it,
for dense tokens and for pause tokens in the same places.
"""

import argparse
import copy

import torch

from hornbook.dense_tokens.prove.arms import ARMS
from hornbook.dense_tokens.prove.learning import Settings
from hornbook.dense_tokens.prove.tasks import TASKS
from hornbook.dense_tokens.prove.trial import run_trial


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", nargs="+", default=["s3", "s5"], choices=["s3", "s5"])
    parser.add_argument("--depth", nargs="+", type=int, default=[16])
    parser.add_argument("--arm", nargs="+", default=["dense", "pause"], choices=["dense", "pause"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| task | depth | arm | steps | at that depth: mean, worst seed | beyond | processor time |")
    print("|---|---|---|---|---|---|---|")
    for name in given.task:
        for depth in given.depth:
            task = copy.copy(TASKS[name])
            task.depth, task.steps = depth, TASKS[name].steps * depth // TASKS[name].depth
            for arm in given.arm:
                trial = run_trial(task, ARMS[arm], tuple(given.seeds), Settings())
                right = trial.right[depth].mean(1)
                beyond = ", ".join(
                    f"{deeper}: {100 * one.mean():.0f}" for deeper, one in trial.beyond.items()
                )
                print(
                    f"| {task.title} | {depth} | {arm} | {trial.course.steps:,} | {100 * right.mean():.1f}, "
                    f"{100 * right.min():.1f} | {beyond} | {trial.seconds:.0f} s |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
