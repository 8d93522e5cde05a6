"""What the page of a run says while the run goes on."""

import time
from dataclasses import dataclass
from itertools import pairwise

from hornbook.report.duration import duration
from hornbook.report.runs import RunRecord, TrainPoint

_RECENT = 10
"""Logged points from which the speed is taken."""


@dataclass(frozen=True)
class Live:
    """A page that will be written again."""

    status: str
    """How far the run is, how fast, and how long it will take."""
    every: float
    """Seconds until the page is loaded again."""
    patience: float
    """Seconds without a newer page after which its reader is told so."""
    written: float
    """When it was written, in seconds since 1970."""


def live(run: RunRecord, every: float, ended: bool = False) -> Live:
    """Say how a run stands, whose page is written at least `every` seconds; `ended` if it takes no more steps."""
    recent = run.train[-_RECENT:]
    # Between two lines of the log, nothing is written.
    pause = max([every, *(after.seconds - before.seconds for before, after in pairwise(recent))])
    return Live(_status(run, ended), every, 60 + 10 * pause, time.time())


def _status(run: RunRecord, ended: bool) -> str:
    done = run.last.step if run.last else 0
    if done >= run.steps:
        return f"All {run.steps:,} steps are done. The model is being measured."
    if ended:
        return f"The training stopped after step {done:,} of {run.steps:,}."
    if not run.train:
        return f"The first of {run.steps:,} steps are being taken."
    recent, last = run.train[-_RECENT:], run.train[-1]
    first = recent[0] if len(recent) > 1 else TrainPoint(0, 0.0, 0, 0.0)
    pace = (last.seconds - first.seconds) / (last.step - first.step)
    speed = f", {last.tokens_per_second:,.0f} tokens a second" if last.tokens_per_second else ""
    return f"Step {done:,} of {run.steps:,}{speed}, {duration(pace * (run.steps - done))} left."
