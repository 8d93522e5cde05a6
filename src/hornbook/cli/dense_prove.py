"""`hornbook dense prove`: do dense tokens work? A page that answers, in minutes."""

from pathlib import Path
from typing import Annotated

import typer

from hornbook.cli.app import Json
from hornbook.cli.dense import dense
from hornbook.cli.output import print_json, print_table
from hornbook.console import make_reporter


@dense.command()
def prove(
    out: Annotated[Path, typer.Option(help="Where the page and its figures go.")] = Path("runs/dense-proof"),
    task: Annotated[
        list[str] | None, typer.Option(help="s3, s5 or pointers; may be repeated; all by default.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=2, help="How many seeds each arm has.")] = 5,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of the seeds.")] = 0,
    processes: Annotated[int, typer.Option(min=0, help="Trainings at once; 0 is one for each core.")] = 0,
    json: Json = False,
) -> None:
    """Train small models with dense tokens and with every control, and write the results on a page."""
    from hornbook.dense import prove as find

    report = make_reporter()
    found = find(out, task, seeds, first_seed, processes, report)
    if json:
        print_json(found)
        return
    print_table(
        [
            {
                "task": one["title"],
                "chance": round(one["chance"], 3),
                "dense, worst seed": round(one["least"], 3),
                **{
                    name: round(arm["by_depth"][str(one["depth"])]["mean"], 3)
                    for name, arm in one["arms"].items()
                },
                "holds": "yes" if one["holds"] else "no",
            }
            for one in found["tasks"]
        ],
        across=True,
    )
    claims = [(one["title"], claim) for one in found["tasks"] for claim in one["claims"]]
    failed = [(title, claim) for title, claim in claims if claim["held_on"] != claim["tried_on"]]
    report.say(
        f"{len(claims) - len(failed)} of {len(claims)} claims hold on every seed that they were tried on"
    )
    for title, claim in failed:
        report.say(
            f"{title}: {claim['claim']}: on seeds {_say(claim['held_on'])} of {_say(claim['tried_on'])}"
        )
    report.say(f"\nThe page: {Path(found['page']).resolve()}")


def _say(seeds: list[int]) -> str:
    return ", ".join(map(str, seeds)) or "none"
