"""Attack runs of every objective, and print the table.

    python -m benchmarks.faults --kills 1000 --damages 500 --seed 0 --out runs/faults

Outcomes are kept in OUT/outcomes.jsonl as they come; the same command goes on after them. Attack n is a function of
(seed, n) alone, but for kills by the clock.
"""

import argparse
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from benchmarks.faults import attack, child
from benchmarks.faults.courses import PRESETS, Course

_BAD = ("stuck", "different", "traceback", "lost", "no way")


def table(outcomes: Iterable[attack.Outcome]) -> str:
    """Count the outcomes of each objective, as Markdown."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    most: Counter[str] = Counter()
    for one in outcomes:
        kind = "kill" if one.attack.startswith("kill") else "damage"
        for name in (one.objective, "all"):
            counts.setdefault((kind, name), Counter()).update([one.result, "attacks"])
            most[name] = max(most[name], one.lost)
    columns = ("attacks", "same", "told", *_BAD)
    lines = [
        f"| attack | objective | {' | '.join(columns)} | most steps lost |",
        "|---" * (len(columns) + 3) + "|",
    ]
    for (kind, name), found in sorted(counts.items(), reverse=True):
        cells = " | ".join(f"{found[column]:,}" for column in columns)
        lines.append(f"| {kind} | {name} | {cells} | {most[name] if kind == 'kill' else ''} |")
    return "\n".join(lines)


def main() -> int:
    """Attack, and return 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--damages", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--objectives", nargs="+", default=list(PRESETS), choices=list(PRESETS))
    parser.add_argument("--out", type=Path, default=Path("runs/faults"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "outcomes.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    found = [attack.Outcome(**json.loads(line)) for line in lines]
    done = Counter("kill" if one.attack.startswith("kill") else "damage" for one in found)
    courses = {name: Course(name, (given.out / name).resolve()) for name in given.objectives}
    whole, kept = {}, {}
    for number in range(max(given.kills, given.damages)):
        name = given.objectives[number % len(given.objectives)]
        for kind, asked in (("kill", given.kills), ("damage", given.damages)):
            if number >= asked or number < done[kind]:
                continue
            course = courses[name]
            if name not in whole:
                child.warm(course.values)
                whole[name] = attack.uncut(course)
                kept[name] = attack.templates(course, whole[name], given.out / f"{name}-kept")
            draw = random.Random(f"{given.seed} {kind} {number}")
            if kind == "kill":
                one = attack.kill(course, whole[name], draw)
            else:
                one = attack.harm(course, whole[name], kept[name], draw)
            found.append(one)
            attack.write(one, path)
            if one.result in _BAD:
                print(
                    f"{kind} {number}: {one.objective}: {one.attack}: {one.result}: {one.text}",
                    file=sys.stderr,
                    flush=True,
                )
    (given.out / "table.md").write_text(table(found) + "\n", "utf-8")
    print(table(found))
    return int(any(one.result in _BAD for one in found))


if __name__ == "__main__":
    sys.exit(main())
