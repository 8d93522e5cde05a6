"""How threads should wait for each other, on a quiet machine and on one that others use too.

    python -m benchmarks.waiting --rounds 3

A step of a small model has thousands of parallel parts. At the end of each, PyTorch's threads (GNU OpenMP) wait for the
last one: they spin, as often as GOMP_SPINCOUNT says, and then sleep. Hornbook takes a thread for each core that is free
when a run begins. Each setting trains the same model in a process of its own, round after round, first alone and then
beside busy processes; printed are medians of tokens a second.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from statistics import median

CORES = os.cpu_count() or 1
SPINS = (None, "0", "1000", "10000", "30000", "100000")
SETTINGS: dict[str, dict[str, str | None]] = {
    "Hornbook's choice": {"HORNBOOK_THREADS": None, "GOMP_SPINCOUNT": None},
    "one thread": {"HORNBOOK_THREADS": "1", "GOMP_SPINCOUNT": None},
} | {
    f"{CORES} threads, {int(spins):,} spins" if spins else f"{CORES} threads": {
        "HORNBOOK_THREADS": str(CORES),
        "GOMP_SPINCOUNT": spins,
    }
    for spins in SPINS
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--recipe", default="manuals-bert")
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, CORES])
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.recipe, given.steps, given.worker)
        return
    with tempfile.TemporaryDirectory() as folder:
        asked = [given.recipe, given.steps, folder]
        speed({}, *asked)  # makes the tokenizer and the tokens, for all
        for busy in given.busy:
            found: dict[str, list[float]] = {name: [] for name in SETTINGS}
            others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
            try:
                for _ in range(given.rounds):
                    for name, environment in SETTINGS.items():
                        found[name].append(speed(environment, *asked))
            finally:
                for one in others:
                    one.kill()
            print(f"beside {busy} busy process(es)" if busy else "alone")
            for name, all in found.items():
                print(f"  {name:22} {median(all):8,.0f} tokens/s  ({min(all):,.0f} to {max(all):,.0f})")


def speed(changes: dict[str, str | None], recipe: str, steps: int, folder: str) -> float:
    """Train in a process with a changed environment; return tokens a second."""
    environment = {name: value for name, value in (os.environ | changes).items() if value is not None}
    command = [
        sys.executable,
        "-m",
        "benchmarks.waiting",
        "--worker",
        folder,
        "--recipe",
        recipe,
        "--steps",
        str(steps),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def work(recipe: str, steps: int, folder: str) -> None:
    """Train, and print the tokens a second of the steps after the first twenty."""
    import tempfile
    from time import perf_counter

    import hornbook

    class Watch(hornbook.Callback):
        def on_log(self, loop: object, kind: str, facts: dict[str, float]) -> None:
            if kind == "train":
                times.append((facts["tokens"], perf_counter()))

    times: list[tuple[float, float]] = []
    settings = [f"training.steps={steps + 20}", "training.log_every=20", "training.trackers=[]"]
    with tempfile.TemporaryDirectory() as out:
        hornbook.train(recipe, [*settings, f"out={out}", f"cache={folder}/cache"], callbacks=[Watch()])
    (before, since), (after, until) = times[0], times[-1]
    print((after - before) / (until - since))


if __name__ == "__main__":
    main()
