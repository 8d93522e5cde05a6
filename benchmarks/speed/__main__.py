"""Hornbook's speed beside that of what people use instead: see benchmarks/README.md."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.speed.cases import CASES
from benchmarks.speed.contenders import absent
from benchmarks.speed.contest import Settings, compete
from benchmarks.speed.machine import describe
from benchmarks.speed.material import make
from benchmarks.speed.report import add_shared, facts, tell, tell_race, write
from benchmarks.speed.to_loss import race
from hornbook.quiet import quieten_transformers
from hornbook.reporter import Reporter


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument(
        "--cases",
        nargs="+",
        choices=CASES,
        default=list(CASES),
        metavar="CASE",
        help=f"which models to train, of {', '.join(CASES)}; all by default",
    )
    parser.add_argument(
        "--contenders",
        nargs="+",
        choices=["trainer", "nanogpt", "litgpt", "hornbook", "limit"],
        help="who takes part; by default all who are here",
    )
    parser.add_argument("--rounds", type=int, default=Settings.rounds, help="turns that each contender gets")
    parser.add_argument(
        "--seconds", type=float, default=Settings.seconds, help="length of a turn, at least a step"
    )
    parser.add_argument("--steps", type=int, help="length of a turn in steps instead, the same for all")
    parser.add_argument(
        "--shared",
        type=int,
        default=0,
        metavar="PROCESSES",
        help="measure all of it again beside so many processes that never rest",
    )
    parser.add_argument(
        "--text", type=Path, help="a text file to train on; by default Hornbook's embedded manuals"
    )
    parser.add_argument(
        "--documents",
        default="separator",
        choices=["file", "blank-line", "line", "separator"],
        help="where its documents end; separator is a line <|endoftext|>",
    )
    parser.add_argument("--nanogpt", type=Path, help="a clone of github.com/karpathy/nanoGPT")
    parser.add_argument(
        "--to-loss",
        nargs="*",
        choices=CASES,
        default=[],
        metavar="CASE",
        help="train these to the same held-out loss as well",
    )
    parser.add_argument(
        "--budget", type=float, default=240.0, help="seconds of training that the Trainer then gets"
    )
    parser.add_argument(
        "--only-to-loss", action="store_true", help="leave the table of tokens per second out"
    )
    parser.add_argument(
        "--work", type=Path, default=Path("runs/speed"), help="where tokens and models are kept"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/speed"), help="where speed.json and speed.svg go"
    )
    return parser.parse_args()


def main() -> None:
    given = arguments()
    quieten_transformers()
    console = Console(width=150, highlight=False)
    corpus: dict[str, Any] = {"heldout_fraction": 0.02}
    if given.text:
        corpus |= {"path": str(given.text.resolve()), "documents": given.documents}
    report = Reporter()
    settings = Settings(given.rounds, given.seconds, given.steps, given.nanogpt)
    record: dict[str, Any] = {
        "machine": describe(),
        "text": given.text.name if given.text else "the embedded manuals",
    }
    record |= {"cases": {}, "to_loss": {}}
    if record["machine"]["load"] > 0.5:
        console.print(
            f"warning: the load is {record['machine']['load']:.1f}; figures are for a quiet machine"
        )
    for name in [] if given.only_to_loss else given.cases:
        case = CASES[name]
        wanted = [*case.contenders, "limit"]
        skipped = {
            one: "it wasn't asked for" for one in wanted if given.contenders and one not in given.contenders
        }
        skipped |= {one: why for one in wanted if (why := absent(one, given.nanogpt)) and one not in skipped}
        names = [one for one in wanted if one not in skipped]
        material = make(case, corpus, given.work)
        found = facts(case, compete(material, names, settings, report.say), skipped)
        if given.shared:
            busy = replace(settings, busy=given.shared)
            add_shared(found, compete(material, names, busy, report.say), given.shared)
        record["cases"][name] = found
        tell(console, record["cases"][name])
        write(given.out, record)
    for name in given.to_loss:
        found = race(make(CASES[name], corpus, given.work), given.budget)
        record["to_loss"][name] = found.facts()
        tell_race(console, found)
        write(given.out, record)
    console.print(f"The figures: {given.out / 'speed.json'}\nThe picture: {given.out / 'speed.svg'}")


if __name__ == "__main__":
    main()
