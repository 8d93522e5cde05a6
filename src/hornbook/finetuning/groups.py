"""Names of several tasks at once, and the means that are published of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from hornbook.evaluation.measure import Figure, figure
from hornbook.finetuning.tasks import TASKS


@dataclass(frozen=True)
class Group:
    """Tasks with a mean of their own."""

    title: str
    counted: Mapping[str, tuple[str, ...]]
    """For each task, what follows its title in the names of the figures that count; several are averaged first."""
    rule: str


def _all(*names: str) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(f"{part}, {metric}" for part in TASKS[name].tests for metric in TASKS[name].metrics)
        for name in names
    }


GROUPS = {
    "glue": Group(
        "GLUE",
        {
            **_all("cola", "sst2", "mrpc", "qqp", "stsb", "mnli", "qnli", "rte", "wnli"),
            "cola": (", Matthews",),
        },
        "The mean of its nine tasks, several metrics or parts of a task averaged first (Wang et al., 2018).",
    ),
    "superglue": Group(
        "SuperGLUE without COPA and ReCoRD",
        _all("boolq", "cb", "multirc", "wic", "wsc"),
        "The mean of those tasks that ask for a label, several metrics of a task averaged first (Wang et al., 2019).",
    ),
    "babylm": Group(
        "GLUE as BabyLM has it",
        dict.fromkeys(("boolq", "multirc", "rte", "wsc"), (", accuracy",))
        | {"mrpc": (", F1",), "qqp": (", F1",), "mnli": ("-m, accuracy",)},
        "The mean of accuracies, of MRPC and QQP of F1 (Charpentier et al., 2025, and the README of BabyLM's pipeline; "
        "it takes 10,000 training texts of MNLI and QQP, here all are taken that the files have).",
    ),
}
"""What `--task` takes for several names."""


def expand(names: Sequence[str]) -> list[str]:
    """Put a group's tasks in place of its name, each task once."""
    return list(
        dict.fromkeys(task for name in names for task in (GROUPS[name].counted if name in GROUPS else [name]))
    )


def means(figures: Sequence[Figure]) -> list[Figure]:
    """Average the figures of each group of which all are there.

    The interval takes the tasks as independent, so that the variances of their means add up.
    """
    known = {one["measure"]: one for one in figures}
    found = []
    for group in GROUPS.values():
        tasks = [[f"{TASKS[name].title}{one}" for one in endings] for name, endings in group.counted.items()]
        if not all(name in known for names in tasks for name in names):
            continue

        def mean(field: str, tasks: list[list[str]] = tasks) -> float:
            return float(np.mean([np.mean([known[name][field] for name in names]) for names in tasks]))

        half = sqrt(sum(((known[one[0]]["high"] - known[one[0]]["low"]) / 2) ** 2 for one in tasks)) / len(
            tasks
        )
        value = mean("value")
        scopes = ", ".join(known[names[0]]["scope"] for names in tasks)
        found.append(
            figure(
                f"{group.title}, mean",
                value,
                "%",
                f"{len(tasks)} tasks: {', '.join(TASKS[name].title for name in group.counted)}",
                f"{group.rule} The interval takes the tasks as independent.",
                "It compares with any model that is fine-tuned with the same settings on the same texts.",
            )
            | {
                "low": value - half,
                "high": value + half,
                "baseline": mean("baseline"),
                "scope": f"{group.title}: {scopes}",
            }
        )
    return found
