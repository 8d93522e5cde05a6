"""What is printed, and the JSON and the picture beside it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jinja2
from rich.console import Console
from rich.table import Table

from benchmarks.speed.cases import Case
from benchmarks.speed.contenders import NAMES
from benchmarks.speed.contest import Timed, quartiles, ratios
from benchmarks.speed.to_loss import Race
from hornbook.atomic import beside


def facts(case: Case, timed: list[Timed], skipped: dict[str, str]) -> dict[str, Any]:
    """Sum a case up in plain values: medians and quartiles over the rounds."""
    return {
        "title": case.title,
        "tokens_in_a_step": f"{case.batch} x {case.length}",
        "contenders": {
            one.name: asdict(one)
            | {
                "tokens_per_second": _spread(one.tokens_per_second),
                "rounds": one.tokens_per_second,
                "times_the_trainer": _spread(ratios(timed, one.name, "trainer")),
                "share_of_limit": _spread(ratios(timed, one.name, "limit")),
            }
            for one in timed
        },
        "skipped": skipped,
    }


def add_shared(found: dict[str, Any], timed: list[Timed], busy: int) -> None:
    """Add to a case's facts what the contenders did beside so many busy processes."""
    found["busy_processes"] = busy
    for one in timed:
        found["contenders"][one.name]["shared"] = {
            "tokens_per_second": _spread(one.tokens_per_second),
            "rounds": one.tokens_per_second,
            "times_the_trainer": _spread(ratios(timed, one.name, "trainer")),
        }


def _spread(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    first, middle, third = quartiles(values)
    return {"median": middle, "first_quartile": first, "third_quartile": third}


def tell(console: Console, found: dict[str, Any]) -> None:
    """Print a case's table."""
    table = Table(title=f"{found['title']}: {found['tokens_in_a_step']} tokens a step", title_justify="left")
    for heading in (
        "",
        "tokens/s",
        "quartiles",
        "x Trainer",
        "of the limit",
        "peak memory",
        "loss",
        "shared",
        "x Trainer",
        "",
    ):
        table.add_column(heading, justify="left" if not heading else "right")
    for contender, one in found["contenders"].items():
        rate, times, share = (
            one[key] for key in ("tokens_per_second", "times_the_trainer", "share_of_limit")
        )
        about = one["about"]
        remarks = [about["precision"], about.get("attention"), about.get("model")]
        is_limit = contender == "limit"
        table.add_row(
            NAMES[contender],
            f"{rate['median']:,.0f}",
            f"{rate['first_quartile']:,.0f} to {rate['third_quartile']:,.0f}",
            f"{times['median']:.2f}" if times and not is_limit else "",
            f"{share['median']:.1%}" if share and not is_limit else "",
            f"{one['memory'] / 1e6:,.0f} MB" if not is_limit else "",
            f"{one['loss']:.5f}" if one["loss"] is not None else "",
            *_told(one.get("shared"), is_limit),
            ", ".join(filter(None, remarks)),
        )
    console.print(table)
    if "busy_processes" in found:
        console.print(f"shared: tokens/s beside {found['busy_processes']} process(es) that never rest")
    for contender, why in found["skipped"].items():
        console.print(f"left out: {NAMES[contender]}, because {why}", markup=False)


def _told(shared: dict[str, Any] | None, is_limit: bool) -> tuple[str, str]:
    if not shared:
        return "", ""
    times = shared["times_the_trainer"]
    ratio = f"{times['median']:.2f}" if times and not is_limit else ""
    return f"{shared['tokens_per_second']['median']:,.0f}", ratio


def tell_race(console: Console, race: Race) -> None:
    """Print how the contenders came to the same loss."""
    table = Table(title=f"{race.title}: to the same held-out loss", title_justify="left")
    for heading in ("", "seconds", "steps", "tokens", "held-out loss", "of the Trainer's seconds"):
        table.add_column(heading, justify="left" if not heading else "right")
    for one in (race.goal, *race.runs):
        table.add_row(
            NAMES[one.name],
            f"{one.seconds:.1f}",
            f"{one.steps:,}",
            f"{one.tokens:,}",
            f"{one.loss:.4f}",
            f"{one.seconds / race.goal.seconds:.1%}",
        )
    console.print(table)


def write(out: Path, record: dict[str, Any]) -> None:
    """Write `speed.json` and `speed.svg` to the folder `out`."""
    with beside(out / "speed.json") as file:
        file.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    with beside(out / "speed.svg") as file:
        file.write_text(picture(record), "utf-8")


def picture(record: dict[str, Any]) -> str:
    """Draw each contender's speed as a multiple of the Trainer's, a group of bars a case."""
    groups: list[dict[str, Any]] = []
    for found in record["cases"].values():
        bars = [
            {
                "name": NAMES[one],
                "times": facts["times_the_trainer"],
                "rate": facts["tokens_per_second"],
                "id": one,
            }
            for one, facts in found["contenders"].items()
            if one != "limit" and facts["times_the_trainer"]
        ]
        groups.append({"title": found["title"], "bars": bars})
    longest = max((bar["times"]["third_quartile"] for group in groups for bar in group["bars"]), default=1.0)
    template = Path(__file__).with_name("picture.svg").read_text("utf-8")
    machine = record["machine"]
    where = machine["gpu"] or f"{machine['cores']} cores of {machine['processor']}"
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(groups=groups, longest=longest, where=where)
