"""Two processes that share a run compute what one does."""

import json
from pathlib import Path

import yaml

from hornbook.recipe import make_recipe
from hornbook.reporter import Reporter
from hornbook.testing.case import Case
from hornbook.testing.launching import launch
from hornbook.testing.runs import logged, recipe_of
from hornbook.training.train import start

PRECISION = 3e-7
"""How far a loss of two processes may be from one process's, as a share of it: 2.5 times fp32's last place, since the
order of sums differs."""
PATIENCE = 120
"""Seconds that two processes may take."""


def two_processes(case: Case, folder: Path) -> None:
    """Two processes, which speak by gloo on the CPU, have the losses of one."""
    _as_one(case, folder, shard=False)


def two_shards(case: Case, folder: Path) -> None:
    """Two processes, each of which has half of the model, have the losses of one."""
    _as_one(case, folder, shard=True)


def _as_one(case: Case, folder: Path, shard: bool) -> None:
    options = {"batch": 9, "precision": "fp32", "evaluate_windows": 24}
    one = recipe_of(case, folder / "one", 0.0, **options)
    two = recipe_of(case, folder / "two", 0.0, **options, shard=shard)
    start(make_recipe(one, []), Reporter(silent=True)).train()
    path = folder / "two.yaml"
    path.write_text(yaml.safe_dump(two), "utf-8")
    ended = launch(2, path).wait(PATIENCE)
    case.require(
        ended.codes == [0, 0],
        f"two processes ended with the codes {ended.codes} and said: {' '.join(ended.printed)[-2000:]}",
    )
    facts = json.loads((folder / "two" / "run.json").read_text("utf-8"))
    counts = [part["processes"] for part in facts["processes"]]
    case.require(counts == [2], f"two processes were started, and the run had {counts}: each trained alone")
    halved = [part.get("sharded", False) for part in facts["processes"]]
    case.require(halved == [shard], f"training.shard is {shard}, and run.json says {halved} of sharded")
    expected, found = ([loss for _, _, loss in logged(folder / name)] for name in ("one", "two"))
    case.require(
        len(found) == len(expected)
        and all(abs(a - b) <= PRECISION * abs(b) for a, b in zip(found, expected, strict=True)),
        f"two processes have the losses {found}, and one {expected}",
    )
