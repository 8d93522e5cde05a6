"""The tasks of lm-evaluation-harness, asked of a model; the harness needn't be installed for anything else."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hornbook.errors import HornbookError, nearest, one_line
from hornbook.evaluation.measure import Figure, figure
from hornbook.loading import LoadedModel

_DEVIATIONS = 1.959964


def find_harness_tasks(names: Sequence[str], known_here: Sequence[str]) -> Any:
    """Give the harness's task manager if it has all of these tasks.

    Raises HornbookError where the harness isn't installed, and for a name that neither it nor Hornbook knows.
    """
    if not find_spec("lm_eval"):
        raise HornbookError(
            f"there is no task {names[0]!r} here (those of lm-evaluation-harness need: pip install "
            f'"hornbook[eval]"){nearest(names[0], list(known_here))}'
        )
    try:
        from lm_eval.tasks import TaskManager
    except Exception as error:  # it imports much
        raise HornbookError(
            f'lm-evaluation-harness can\'t be used ({one_line(error)}): pip install "hornbook[eval]" again'
        ) from error
    manager = TaskManager()
    for name in names:
        if name not in manager.all_tasks:
            raise HornbookError(
                f"there is no task {name!r}, neither here nor in lm-evaluation-harness"
                f"{nearest(name, [*known_here, *manager.all_tasks])}"
            )
    return manager


def measure_harness_task(
    loaded: LoadedModel, name: str, manager: Any, data: Path | None = None, limit: int | None = None
) -> list[Figure]:
    """Ask one task of the harness; a figure for each of its metrics.

    `data` is a folder with the task's rows, `NAME/SPLIT.jsonl`, in the form of the hub's; without it the hub is asked.
    Raises HornbookError where the rows can't be had or aren't the task's.
    """
    from lm_eval import simple_evaluate

    from hornbook.evaluation.harness import harness_model

    asked: Any = name
    if data is not None:
        files = {file.stem: str(file) for file in sorted((data / name).glob("*.jsonl"))}
        if not files:
            raise HornbookError(
                f"{data / name}: there are no .jsonl files in it: put the task's rows there, a file a split"
            )
        asked = {
            "task": name,
            "dataset_path": "json",
            "dataset_name": None,
            "dataset_kwargs": {"data_files": files},
        }
    model = harness_model(loaded)
    try:
        found = simple_evaluate(
            model=model,
            tasks=[asked],
            limit=limit,
            bootstrap_iters=100,
            task_manager=manager,
            log_samples=False,
        )
    except HornbookError:
        raise
    except Exception as error:  # the hub, datasets, templates: each has its own
        raise HornbookError(
            f"lm-evaluation-harness can't ask {name} ({one_line(error)}): connect to a network, or name a folder "
            f"that holds {name}/ with --data"
        ) from error
    return _figures(name, found)


def _figures(name: str, found: Any) -> list[Figure]:
    results, counts = found["results"][name], found.get("n-samples", {}).get(name, {})
    figures = []
    for key, value in results.items():
        metric, _, form = key.partition(",")
        if not form or "_stderr" in metric or not isinstance(value, int | float):
            continue
        error = results.get(f"{metric}_stderr,{form}")
        spread = {}
        if isinstance(error, int | float):
            spread = {"low": value - _DEVIATIONS * error, "high": value + _DEVIATIONS * error}
        total = counts.get("effective")
        figures.append(
            figure(
                f"{name}, {metric}",
                float(value),
                "share" if metric.startswith(("acc", "exact")) else metric,
                f"{total:,} questions" if total else "its questions",
                f"As lm-evaluation-harness computes it (version {found['versions'].get(name)} of the task).",
                "It compares with the harness's own figures of causal models; a masked or text-to-text model scores "
                "endings by another rule, from both sides.",
            )
            | {**spread, "scope": f"{name}: {total} questions"}
        )
    return figures
